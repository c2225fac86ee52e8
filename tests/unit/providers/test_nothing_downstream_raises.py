"""Whatever a provider sends: it is refused, or all that is made of it can be made.

Each adapter's good payloads get any JSON value in any place. What comes out of them is recorded,
stored, read, listed, counted, given deadlines and commissions, and written to people in every
language.
"""

import copy
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.common.errors import BadPayload
from milepost.common.status import Status
from milepost.connections.tracks import BUSINESS
from milepost.orders.lifecycle import fold
from milepost.orders.order import Kind, TrackedOrder
from milepost.orders.recording import record
from milepost.orders.report import Report
from milepost.providers.readable_parts import read_order
from milepost.providers.registry import REGISTRY, adapter
from tests.builders import (
    NOON,
    OFFERGRID,
    RABOT,
    announcement,
    offergrid_event,
    offergrid_item,
    offergrid_order,
    rabot_order,
    report,
)
from tests.downstream import LANGUAGES, make_everything
from tests.fakes.orders import MemoryOrders
from tests.malformed_payloads import ODD_DATES, UNREADABLE_DATES, mangled
from tests.payloads import SPIRII, SUBS, charge_order, service_request

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
CONNECTIONS = {one.provider: one for one in (OFFERGRID, RABOT, SPIRII, SUBS)}
ORDERS: dict[str, list[dict[str, Any]]] = {
    "offergrid": [
        offergrid_order(items=[offergrid_item(status="active"), offergrid_item(itemId="item-2")]),
        offergrid_order(items=[offergrid_item(status="rejected", reason="No coverage")]),
    ],
    "rabot": [
        rabot_order("Open"),
        rabot_order(
            "PendingDelivery",
            deliveryState={"startDate": "2026-04-01 00:00:00", "endDate": None, "state": "x"},
            endDateOfDelivery="2026-09-30 00:00:00",
        ),
        rabot_order("Cancelled", endDateOfDelivery="2026-09-30 00:00:00"),
    ],
    "spirii": [charge_order("Scheduled"), charge_order("Fulfilled")],
    "subs": [service_request("Contract Generated"), service_request("Completed")],
}
EVENTS: dict[str, list[dict[str, Any]]] = {
    "offergrid": [
        offergrid_event(newStatus="completed"),
        offergrid_event("order.scheduled", scheduledFor="2026-03-12T02:00:00.000Z"),
        offergrid_event("order.rejected", reason="No coverage"),
    ],
    "rabot": [],
    "spirii": [
        {"event": "order.updated", "created_at": "2026-03-05T13:20:00Z", "data": {"order": one}}
        for one in ORDERS["spirii"]
    ],
    "subs": [
        {"event": "x", "created_at": "2026-03-05T13:20:00Z", "data": {"service_request": one}}
        for one in ORDERS["subs"]
    ],
}


def reports_of_order(provider: str, order: Any) -> list[Report]:
    found = read_order(adapter(provider), order, connection=CONNECTIONS[provider], requested_at=NOW)
    assert found.reports or found.unreadable or order.get("items") == []
    assert all(str(one.reason) for one in found.unreadable)
    return found.reports


def reports_of_event(provider: str, event: Any) -> list[Report]:
    try:
        return adapter(provider).read_event(event, connection=CONNECTIONS[provider], seen_at=NOW)
    except BadPayload as refusal:
        assert str(refusal)  # noqa: PT017 - either way out is right
        return []


def make_all(provider: str, reports: Iterable[Report], *, language: str) -> None:
    orders, rules = MemoryOrders(), adapter(provider).rules
    for one in reports:
        record(one, orders=orders, rules=rules, now=NOW)
    for tracked in orders.kept.values():
        make_everything(tracked, connection=CONNECTIONS[provider], now=NOW, languages=[language])


@pytest.mark.sampled(1)
@pytest.mark.parametrize("provider", sorted(REGISTRY))
@given(st.data())
def test_any_value_in_any_place_of_an_order(provider: str, data: st.DataObject) -> None:
    reports = reports_of_order(provider, data.draw(mangled(ORDERS[provider])))
    make_all(provider, reports, language=data.draw(st.sampled_from(LANGUAGES)))


@pytest.mark.thorough
@pytest.mark.parametrize("provider", ["offergrid", "spirii", "subs"])
@given(st.data())
def test_any_value_in_any_place_of_an_event(provider: str, data: st.DataObject) -> None:
    reports = reports_of_event(provider, data.draw(mangled(EVENTS[provider])))
    make_all(provider, reports, language=data.draw(st.sampled_from(LANGUAGES)))


def dates_in(value: Any, place: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    """Where a payload has dates."""
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from dates_in(inner, (*place, name))
    elif isinstance(value, str) and value.startswith("202") and value[4:5] == "-":
        yield place


def put(payload: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(payload)
    inner: Any = changed
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return changed


@pytest.mark.parametrize("provider", sorted(REGISTRY))
def test_a_date_that_cannot_be_right_is_unset_with_attention(provider: str) -> None:
    """Where it is needed, it is the reason why its order, and no other, is kept apart."""
    order = ORDERS[provider][-1]
    places = list(dates_in(order))
    assert places
    for date, place in product([*ODD_DATES, *UNREADABLE_DATES], places):
        found = read_order(
            adapter(provider),
            put(order, place, date),
            connection=CONNECTIONS[provider],
            requested_at=NOW,
        )
        if place[-1] == "due_on" and str(date)[:4] in ("2000", "2099"):
            # A day of no zone: right by itself, whatever its hour is elsewhere.
            continue
        if place == ("updated_at",):
            (bad,) = found.unreadable
            assert "updated_at: " in str(bad.reason)
            continue
        (one,) = found.reports
        name = ".".join(map(str, place)).replace("items.0", "items")
        assert one.details["unread"] == [name], date
        (reason,) = (
            reason
            for reason in fold([one], adapter(provider).rules).attention
            if reason.code == "unreadable_data"
        )
        assert name in reason.text
        assert not any(text[:4] in ("0001", "9999", "1900") for text in _texts(one.details))


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


DATED = (
    "ordered_at",
    "signed_at",
    "appointment",
    "fulfilment_at",
    "delivery_start",
    "delivery_end",
)
ENDS_OF_TIME = ("0001-01-01", "9999-12-31", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z")


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.SCHEDULED, Status.ACTIVE], ids=str)
@pytest.mark.parametrize("date", ENDS_OF_TIME)
@pytest.mark.parametrize(
    "at",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        NOON,
        datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
    ],
    ids=lambda at: str(at.year),
)
def test_orders_that_were_stored_with_such_dates_stand_in_nobodys_way(
    status: Status, date: str, at: datetime
) -> None:
    facts: dict[str, Any] = {
        **dict.fromkeys(DATED, date),
        "invoices": [{"id": "1", "paid": False, "due_on": date, "paid_at": date}],
        "authorization_code": {"sent": True, "sent_at": date},
        "commission": {"paid_at": date, "status": "paid"},
        "emails": [{"type": "x", "sent": False, "sent_at": date}],
    }
    said = replace(report(status, **facts), occurred_at=at, status_since=at)
    order = fold([said, report(None, 1)], adapter("offergrid").rules)
    told = [announcement(Kind.SCHEDULED, status=status, occurred_at=at)]
    tracked = TrackedOrder(order=order, version=1, announced=tuple(told))
    for connection in (OFFERGRID, replace(OFFERGRID, time_zone="America/Los_Angeles")):
        texts = make_everything(tracked, connection=connection, now=NOW, languages=["de"])
        # What is shown is at most when it was reported.
        assert at is not NOON or not any(
            year in text for text in texts for year in (" 9999", " 0001", "9999-", "0001-")
        )


def test_a_stored_wait_of_thousands_of_years_ends_with_the_calendar() -> None:
    waits = [report(Status.ACCEPTED), report(Status.ACCEPTED, 1)]
    order = replace(fold(waits, adapter("offergrid").rules), waited=timedelta(days=3_600_000))
    tracked = TrackedOrder(order=order, version=1)
    for counts in ("calendar", BUSINESS):
        make_everything(tracked, connection=replace(OFFERGRID, stage_days_count=counts), now=NOW)
