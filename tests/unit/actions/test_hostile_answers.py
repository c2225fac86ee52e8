"""Whatever a provider answers: words, an order or a plain outcome, and no surprise."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given

from milepost.common.errors import BadPayload
from milepost.providers.base import BrokenPage
from milepost.providers.registry import REGISTRY, adapter
from tests.malformed_payloads import mangled

ANSWERS: list[dict[str, Any]] = [
    {"statusCode": 409, "message": "no", "error": "Conflict"},
    {"error": {"code": "conflict", "message": "no"}},
    {"isSuccess": True, "message": None, "error": [], "data": {"order": {"state": "Open"}}},
    {"data": {"email": {"type": "order_confirmation", "sent": True, "not_sent_reason": None}}},
    {"data": {"invoice": {"id": "i", "number": "n", "paid": False}, "service_request": {}}},
    {"data": {"authorization_code": {"sent": True, "sent_at": "2026-03-04T09:00:00.000Z"}}},
]


@pytest.mark.sampled(1)
@pytest.mark.parametrize("name", sorted(REGISTRY))
@given(answer=mangled(ANSWERS))
def test_a_mangled_answer_has_words_or_none(name: str, answer: dict[str, Any]) -> None:
    words = adapter(name).read_refusal(answer)
    assert words is None or 0 < len(words) <= 2_000


@pytest.mark.sampled(1)
@pytest.mark.parametrize("name", sorted(REGISTRY))
@given(answer=mangled(ANSWERS))
def test_a_mangled_answer_has_an_order_or_is_broken(name: str, answer: dict[str, Any]) -> None:
    with suppress(BrokenPage):
        assert isinstance(adapter(name).read_one(answer), dict)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("name", sorted(REGISTRY))
@given(answer=mangled(ANSWERS))
def test_a_mangled_yes_is_put_into_words_or_refused(name: str, answer: dict[str, Any]) -> None:
    for action in adapter(name).actions.values():
        with suppress(BadPayload):
            assert action.read_outcome(answer)


@pytest.mark.parametrize("name", sorted(REGISTRY))
@pytest.mark.parametrize("id", ["../admin", "a/b", "a?b=c", "ü", "%2e", "a#b", " "])
def test_an_id_stays_one_segment_of_a_path(name: str, id: str) -> None:
    path = adapter(name).order_request(id).path
    assert path.count("/") == adapter(name).order_request("plain").path.count("/")
    assert not set(path) & set("?# ")
    assert path.isascii()
