"""Idempotency keys: what each came with first, on every engine and in the fake."""

from datetime import timedelta

import pytest

from milepost.aws.dynamodb_items import from_item
from milepost.common.idempotency import KeyReused, fingerprint, is_repeated
from milepost.notifications.aws.idempotency import RequestsTable
from tests.builders import NOON
from tests.contracts.conftest import Place
from tests.fakes.requests import MemoryRequests

TABLE = "NoticesTable"
Requests = RequestsTable | MemoryRequests


@pytest.fixture
def requests(place: Place) -> Requests:
    if place.is_memory:
        return MemoryRequests()
    return RequestsTable(place.client, table_name=place.table)


def test_a_key_that_never_came_has_no_contents(requests: Requests) -> None:
    assert requests.contents("resend", "k1") is None
    assert not is_repeated(requests, "resend", "k1", "a")


def test_the_same_request_is_repeated_and_another_is_refused(requests: Requests) -> None:
    for _ in range(2):
        requests.enter("resend", "k1", "a", at=NOON)
    assert is_repeated(requests, "resend", "k1", "a")
    with pytest.raises(KeyReused):
        is_repeated(requests, "resend", "k1", "b")
    with pytest.raises(KeyReused):
        requests.enter("resend", "k1", "b", at=NOON)
    assert requests.contents("resend", "k1") == "a"


def test_operations_and_keys_are_apart(requests: Requests) -> None:
    requests.enter("resend", "k1", "a", at=NOON)
    requests.enter("resend", "k2", "b", at=NOON)
    requests.enter("subscription lena", "k1", "c", at=NOON)
    assert requests.contents("subscription lena", "k1") == "c"


def test_what_is_kept_names_nobody_and_goes_with_the_log(place: Place) -> None:
    if place.is_memory:
        pytest.skip("only a table keeps items")
    contents = fingerprint({"to": "lena@example.org"})
    RequestsTable(place.client, table_name=place.table).enter("resend", "lena@x", contents, at=NOON)
    (item,) = place.client.scan(TableName=place.table)["Items"]
    assert "lena" not in str(item)
    expires_at = int((NOON + timedelta(days=400)).timestamp())
    assert int(from_item(item)["expires_at"]) == expires_at


def test_contents_are_the_same_whatever_their_order_and_no_other() -> None:
    assert fingerprint({"a": 1, "b": None}) == fingerprint({"b": None, "a": 1})
    different = [{"a": 1}, {"a": "1"}, {"a": True}, {"a": None}, {}, {"b": 1}, {"a": [1]}]
    assert len({fingerprint(one) for one in different}) == len(different)
