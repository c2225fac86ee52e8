"""Declared providers whose orders have items: each is read by itself, by poll and by webhook."""

from typing import Any

import pytest

from milepost.common.strict_json import write_json
from milepost.providers.declared.adapter import DeclaredProvider
from milepost.providers.readable_parts import read_event, read_order
from tests.unit.providers.declared.declared_files import CONNECTION, EVENTS, NOW, ORDER, declared

GOOD_PART, BAD_PART = {"no": 1, "state": "Angelegt"}, {"no": 2, "state": None}


def by(each: str) -> DeclaredProvider:
    """A provider of whose orders this expression finds the items."""
    items = {"each": each, "id": "no", "status": "state"}
    return declared(EVENTS, order={"id": "id", "changed_at": "changed", "items": items})


@pytest.mark.parametrize(
    ("each", "order"),
    [
        ("parts", {"parts": [BAD_PART, GOOD_PART]}),
        ("body.parts", {"body": {"parts": [BAD_PART, GOOD_PART], "more": 1}}),
        ("parts[]", {"parts": [[BAD_PART], [GOOD_PART]]}),
        ("parts[?no]", {"parts": [{"note": "x"}, BAD_PART, GOOD_PART]}),
        ("groups[].parts[]", {"groups": [{"parts": [BAD_PART]}, {"parts": [GOOD_PART]}]}),
        ("parts || lines", {"lines": [BAD_PART, 7, GOOD_PART]}),
    ],
)
@pytest.mark.parametrize("way", ["poll", "webhook"])
def test_a_bad_item_withholds_no_other_wherever_the_items_are(
    each: str, order: dict[str, Any], way: str
) -> None:
    provider = by(each)
    order = {"id": 7, "changed": ORDER["changed"], **order}
    if way == "poll":
        found = read_order(provider, order, connection=CONNECTION, requested_at=NOW)
    else:
        event = {"type": "changed", "at": "2026-03-02T10:00:00Z", "data": order}
        found = read_event(provider, event, connection=CONNECTION, seen_at=NOW, judged_at=NOW)
    assert [one.item_id for one in found.reports] == ["1"]
    kept = [write_json(one.order) for one in found.unreadable]
    assert sum(write_json(BAD_PART) in one for one in kept) == 1
    assert not any(write_json(GOOD_PART) in one for one in kept)


@pytest.mark.parametrize("each", ["parts[0:2]", "reverse(parts)", "parts[?no] | [0:5]"])
def test_an_order_whose_items_depend_on_each_other_is_kept_whole(each: str) -> None:
    provider = by(each)
    order = {"id": 7, "changed": ORDER["changed"], "parts": [GOOD_PART, BAD_PART]}
    found = read_order(provider, order, connection=CONNECTION, requested_at=NOW)
    assert (found.reports, [one.order for one in found.unreadable]) == ([], [order])


def test_what_an_expression_does_not_fit_is_no_order_and_no_other_error() -> None:
    provider = by("values(parts)")
    order = {"id": 7, "changed": ORDER["changed"], "parts": 7}
    event = {"type": "changed", "at": "2026-03-02T10:00:00Z", "data": order}
    for found in (
        read_order(provider, order, connection=CONNECTION, requested_at=NOW),
        read_event(provider, event, connection=CONNECTION, seen_at=NOW, judged_at=NOW),
    ):
        ((only,), said) = found.unreadable, str(found.unreadable[0].reason)
        assert only.order in (order, event)
        assert said == "not the expected order: items: their expression doesn't fit"
