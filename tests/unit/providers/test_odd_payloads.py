"""One reading for all adapters: status words, ids, null, and facts that can't be read."""

import copy
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.common.strict_json import canonical_json
from milepost.orders.lifecycle import fold
from milepost.providers.payload_types import read_amount
from milepost.providers.readable_parts import ReadOrder, read_order
from milepost.providers.registry import REGISTRY, adapter
from tests.builders import (
    NOON,
    OFFERGRID,
    RABOT,
    offergrid_event,
    offergrid_item,
    offergrid_order,
    rabot_order,
)
from tests.malformed_payloads import UNREADABLE_AMOUNTS, nested
from tests.payloads import SPIRII, SUBS, charge_order, service_request

CONNECTIONS = {one.provider: one for one in (OFFERGRID, RABOT, SPIRII, SUBS)}
ORDERS: dict[str, dict[str, Any]] = {
    "offergrid": offergrid_order(),
    "rabot": rabot_order("PendingDelivery", deliveryState={"startDate": "2026-04-01 00:00:00"}),
    "spirii": charge_order(),
    "subs": service_request(),
}
STATUS = {"offergrid": "status", "rabot": "state", "spirii": "status", "subs": "milestone"}
REQUIRED = {
    "offergrid": {"orderId", "items", "itemId", "status"},
    "rabot": {"contractNumber", "state"},
    "spirii": {"id", "status", "updated_at"},
    "subs": {"id", "milestone", "updated_at"},
}
Place = tuple[Any, ...]


def read(provider: str, order: Any) -> ReadOrder:
    # A clock far ahead of all payloads.
    return read_order(
        adapter(provider),
        order,
        connection=CONNECTIONS[provider],
        requested_at=NOON.replace(year=2027),
    )


def places_in(value: Any, place: Place = ()) -> Iterable[Place]:
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*place, name)
            yield from places_in(inner, (*place, name))


def put(payload: dict[str, Any], place: Place, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(payload)
    inner: Any = changed
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return changed


def facts_of(provider: str) -> list[Place]:
    """Places of which the order's identity and status don't depend."""
    required = REQUIRED[provider] | {0}
    nested_ids = {("items", 0), ("items",)}
    return [
        place
        for place in places_in(ORDERS[provider])
        if place not in nested_ids
        and not (place[-1] in required and (len(place) == 1 or place[0] == "items"))
    ]


@pytest.mark.parametrize("provider", sorted(REGISTRY))
def test_null_is_missing_in_every_optional_field(provider: str) -> None:
    for place in facts_of(provider):
        if place[-1] in ("id", 0):
            continue  # A part of a list without its id is a part that can't be read.
        (one,) = read(provider, put(ORDERS[provider], place, None)).reports
        assert "unread" not in one.details, place


STARTS = {Status.SCHEDULED: Status.ACCEPTED}
"""What RABOT's order with a start date would be without it."""


@pytest.mark.parametrize("provider", sorted(REGISTRY))
@pytest.mark.parametrize(
    "value",
    [["x"], {"x": 1}, [None], nested(3_000), {"x": nested(3_000)}, True, "half \ud83d"],
    ids=["list", "object", "nulls", "deep", "deep object", "true", "half a character"],
)
def test_a_fact_that_cannot_be_read_withholds_no_status(provider: str, value: Any) -> None:
    (good,) = read(provider, ORDERS[provider]).reports
    for place in facts_of(provider):
        found = read(provider, put(ORDERS[provider], place, value))
        (one,) = found.reports
        # Without its start date, a confirmed supply is accepted and not yet scheduled.
        unsaid = STARTS if provider == "rabot" and "delivery_start" not in one.details else {}
        expected = unsaid.get(good.status, good.status)
        assert (one.status, one.raw_status) == (expected, good.raw_status)
        assert canonical_json(one.details).encode()
        for name in one.details.get("unread", []):
            assert name.split(".")[0] == place[0]


@pytest.mark.parametrize(
    "amount",
    [one for one in UNREADABLE_AMOUNTS if one is not True],
    # pytest doesn't find a test by an id with characters that it escapes.
    ids=lambda one: "".join(c if c.isascii() else f"U+{ord(c):04X}" for c in str(one)[:20]),
)
def test_an_amount_that_is_none_is_left_out_with_attention(amount: Any) -> None:
    order = charge_order(payment={"kind": "invoice", "amount": amount, "currency": "DKK"})
    (one,) = read("spirii", order).reports
    assert one.details["payment"] == {"kind": "invoice", "currency": "DKK"}
    (reason,) = fold([one], adapter("spirii").rules).attention
    assert (reason.code, "payment.amount" in reason.text) == ("unreadable_data", True)


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("149.90", Decimal("149.90")),
        (" 1280 ", Decimal(1280)),
        ("-0.00", Decimal(0)),
        ("1.5e3", Decimal(1500)),
        (3500, Decimal(3500)),
        (Decimal("75.00"), Decimal(75)),
        ("1" * 38, Decimal("1" * 38)),
        (Decimal("0E+999"), Decimal(0)),
    ],
    ids=str,
)
def test_an_amount_is_exact_as_a_number_or_as_a_text(value: Any, amount: Decimal) -> None:
    assert read_amount(value) == amount


def test_a_part_of_a_list_that_cannot_be_read_is_left_out_alone() -> None:
    (good,) = service_request()["invoices"]
    invoices = [None, good, 7, {"number": "NE-1"}, {**good, "id": 12, "amount": "x"}, "x"]
    (one,) = read("subs", service_request(invoices=invoices)).reports
    assert [part["id"] for part in one.details["invoices"]] == ["inv-000417-1", "12"]
    assert one.details["unread"] == [
        "invoices.0",
        "invoices.2",
        "invoices.3",
        "invoices.4.amount",
        "invoices.5",
    ]


def test_of_a_list_that_is_too_long_the_first_hundred_are_kept_with_attention() -> None:
    (good,) = service_request()["invoices"]
    (one,) = read("subs", service_request(invoices=[good] * 150)).reports
    assert len(one.details["invoices"]) == 100
    assert one.details["unread"][0] == "invoices.100"
    assert len(one.details["unread"]) == 20


@pytest.mark.parametrize("provider", sorted(REGISTRY))
def test_a_status_word_is_read_in_any_case_and_white_space(provider: str) -> None:
    statuses: Any = __import__(f"milepost.providers.{provider}", fromlist=["STATUSES"]).STATUSES
    for word in statuses:
        spaced = f" \t{'  '.join(word.split()).upper()}\n"
        order = ORDERS[provider]
        place = ("items", 0, "status") if provider == "offergrid" else (STATUS[provider],)
        (one,) = read(provider, put(order, place, spaced)).reports
        starts = STARTS[Status.SCHEDULED] if provider == "rabot" else None
        expected = Status.SCHEDULED if statuses[word] is starts else statuses[word]
        assert (one.status, one.raw_status) == (expected, spaced.strip())


def test_a_webhooks_status_is_read_as_a_polls() -> None:
    event = offergrid_event(newStatus=" Scheduled ")
    (told,) = adapter("offergrid").read_event(event, connection=OFFERGRID, seen_at=NOON)
    item = offergrid_item(status=" Scheduled ")
    (polled,) = read("offergrid", offergrid_order(items=[item])).reports
    assert (told.status, told.raw_status) == (polled.status, polled.raw_status)
    assert (told.status, told.raw_status) == (Status.SCHEDULED, "Scheduled")


def test_a_denied_order_recovers_however_denied_is_written() -> None:
    rules = adapter("rabot").rules
    states = ["Open", " DENIED ", "processing"]
    reports = [
        one
        for minute, state in enumerate(states)
        for one in adapter("rabot").read_order(
            rabot_order(state), connection=RABOT, requested_at=NOON.replace(minute=minute)
        )
    ]
    assert fold(reports, rules).status is Status.SUBMITTED


@pytest.mark.parametrize("provider", sorted(REGISTRY))
@pytest.mark.parametrize(
    "word",
    ["in-progress", "pendings", "Pending Deliveries", "ok", "", " ", None, "x" * 201, "pen\x00ding",
     "pending\u200b"],
)  # fmt: skip
def test_no_status_is_guessed(provider: str, word: Any) -> None:
    place = ("items", 0, "status") if provider == "offergrid" else (STATUS[provider],)
    found = read(provider, put(ORDERS[provider], place, word))
    assert all(one.status is None for one in found.reports)
    assert found.reports or found.unreadable


@pytest.mark.parametrize("provider", sorted(REGISTRY))
@pytest.mark.parametrize(
    "id",
    [None, "", " \t", "a\x00b", "a\nb", "\ud800", "ü" * 100, "x" * 201, "%" * 67, [], {}, True],
)
def test_an_id_that_could_not_be_kept_is_refused_at_the_door(provider: str, id: Any) -> None:
    names = {"offergrid": ["orderId"], "rabot": ["contractNumber"]}.get(provider, ["id"])
    places: list[Place] = [(name,) for name in names]
    if provider == "offergrid":
        places.append(("items", 0, "itemId"))
    for place in places:
        found = read(provider, put(ORDERS[provider], place, id))
        assert found.reports == []
        (bad,) = found.unreadable
        assert str(place[-1]) in str(bad.reason)


@pytest.mark.parametrize(("id", "kept"), [(4711, "4711"), ("  sr-1 ", "sr-1"), ("ü-1", "ü-1")])
def test_an_id_is_trimmed_and_may_be_a_number(id: Any, kept: str) -> None:
    for order_id in ("spirii", "subs"):
        (one,) = read(order_id, {**ORDERS[order_id], "id": id}).reports
        assert (one.order_id, one.item_id) == (kept, kept)
    event = offergrid_event(orderId=id, itemId=id)
    (told,) = adapter("offergrid").read_event(event, connection=OFFERGRID, seen_at=NOON)
    assert (told.order_id, told.item_id) == (kept, kept)


def test_items_are_read_one_by_one() -> None:
    items = [
        offergrid_item(itemId="item-1", status="rejected", commission={"amount": ""}),
        offergrid_item(itemId="item-2", status=None),
        "no item",
        offergrid_item(itemId="item-3", updatedAt="2029-01-01T00:00:00Z"),
        offergrid_item(itemId="item-4", commission="none"),
    ]
    found = read("offergrid", offergrid_order(items=items))
    assert [one.item_id for one in found.reports] == ["item-1", "item-4"]
    assert "unread" not in found.reports[0].details
    assert found.reports[1].details["unread"] == ["items.commission"]
    assert [one.order["items"] for one in found.unreadable] == [[items[1]], [items[2]], [items[3]]]
    assert [one.is_only_ahead for one in found.unreadable] == [False, False, True]


@pytest.mark.parametrize("provider", sorted(REGISTRY))
@pytest.mark.parametrize(
    "order", [None, 7, "order", [], [{}], {}, nested(3_000)], ids=lambda order: str(type(order))
)
def test_what_is_no_order_is_unreadable_and_no_exception(provider: str, order: Any) -> None:
    found = read(provider, order)
    assert (found.reports, len(found.unreadable)) == ([], 1)
