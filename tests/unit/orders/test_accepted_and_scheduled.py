"""One change that says two things: accepted and scheduled, or corrected and scheduled."""

from datetime import UTC, datetime
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.orders.order import Announcement, Kind
from milepost.orders.recording import read_again, record
from milepost.orders.report import Report
from milepost.providers.base import rules_of
from milepost.providers.registry import adapter
from tests.builders import OFFERGRID, RABOT, minute, report, tracked
from tests.fakes.orders import MemoryOrders

APPOINTMENT = "2026-03-12T02:00:00Z"


def announced(*reports: Report) -> list[Announcement]:
    orders, rules = MemoryOrders(), rules_of(adapter("offergrid"), OFFERGRID)
    for one in reports:
        record(one, orders=orders, rules=rules, now=one.seen_at)
    return orders.announced


@pytest.mark.parametrize("before", [Status.PENDING, Status.SUBMITTED])
def test_an_order_that_goes_straight_to_scheduled_is_announced_as_both(before: Status) -> None:
    raw = {Status.PENDING: "pending", Status.SUBMITTED: "submitted_to_provider"}[before]
    told = announced(
        report(before, 0, raw=raw), report(Status.SCHEDULED, 5, appointment=APPOINTMENT)
    )
    accepted, scheduled = told
    assert (accepted.kind, accepted.status, accepted.previous) == (
        Kind.ACCEPTED,
        Status.ACCEPTED,
        before,
    )
    assert (scheduled.kind, scheduled.previous) == (Kind.SCHEDULED, Status.ACCEPTED)
    assert [one.sequence for one in told] == [1, 2]
    assert all(one.joined for one in told)


def test_an_acceptance_that_people_know_of_is_not_repeated() -> None:
    told = announced(report(Status.ACCEPTED, 0), report(Status.SCHEDULED, 5))
    assert [(one.kind, one.joined) for one in told] == [
        (Kind.ACCEPTED, False),
        (Kind.SCHEDULED, False),
    ]


def test_of_an_order_that_is_first_heard_of_as_scheduled_nothing_else_is_announced() -> None:
    assert [one.kind for one in announced(report(Status.SCHEDULED, 0))] == [Kind.SCHEDULED]


def test_an_acceptance_that_is_reported_late_is_not_repeated() -> None:
    told = announced(
        report(Status.PENDING, 0), report(Status.SCHEDULED, 9), report(Status.ACCEPTED, 5)
    )
    assert [one.kind for one in told] == [Kind.ACCEPTED, Kind.SCHEDULED]


@pytest.mark.parametrize(
    ("status", "kinds"),
    [
        (Status.SCHEDULED, [Kind.CORRECTION, Kind.SCHEDULED]),
        (Status.IN_PROGRESS, [Kind.CORRECTION]),
        (Status.COMPLETED, [Kind.CORRECTION]),
    ],
)
def test_an_installation_that_failed_can_take_place_after_all(
    status: Status, kinds: list[Kind]
) -> None:
    told = announced(
        report(Status.ACCEPTED, 0),
        report(Status.SCHEDULED, 5, appointment=APPOINTMENT),
        report(Status.FAILED, 10),
        report(status, 15, appointment="2026-03-20T02:00:00Z"),
    )
    corrected = [one for one in told if one.sequence > 3 and one.kind is not Kind.ATTENTION]
    assert [one.kind for one in corrected] == kinds
    assert all(one.correction for one in corrected)


@pytest.mark.parametrize("status", [Status.PENDING, Status.ACCEPTED])
def test_an_installation_that_failed_is_not_ordered_anew(status: Status) -> None:
    told = announced(report(Status.SCHEDULED, 0), report(Status.FAILED, 5), report(status, 10))
    assert [one.kind for one in told] == [Kind.SCHEDULED, Kind.FAILED, Kind.ATTENTION]


def _rabot(state: Status, at: float, raw: str, **details: Any) -> Report:
    return report(state, at, raw=raw, **details)


def test_an_order_that_was_stored_as_accepted_while_processing_is_read_as_submitted() -> None:
    rules = rules_of(adapter("rabot"), RABOT)
    stored = tracked(_rabot(Status.PENDING, 0, "Open"), _rabot(Status.ACCEPTED, 5, "Processing"))
    read = read_again(stored, rules)
    assert read is not None
    assert read.order.status is Status.SUBMITTED
    assert read.order.since == minute(5)
    assert (read.version, read.announced) == (stored.version, stored.announced)
    assert read_again(read, rules) is read


def test_what_was_told_before_the_table_changed_is_not_told_again() -> None:
    rules, orders = rules_of(adapter("rabot"), RABOT), MemoryOrders()
    accepted = Announcement(
        sequence=1,
        kind=Kind.ACCEPTED,
        status=Status.ACCEPTED,
        previous=Status.PENDING,
        occurred_at=minute(5),
        announced_at=minute(5),
    )
    stored = tracked(
        _rabot(Status.PENDING, 0, "Open"),
        _rabot(Status.ACCEPTED, 5, "Processing"),
        announced=(accepted,),
    )
    orders.kept[stored.order.key] = stored
    start = {"delivery_start": "2026-04-01", "appointment": "2026-04-01"}
    confirmed = _rabot(Status.SCHEDULED, 20, "PendingDelivery", **start)
    record(_rabot(Status.SUBMITTED, 10, "processing"), orders=orders, rules=rules, now=minute(10))
    record(confirmed, orders=orders, rules=rules, now=minute(20))
    (told,) = (one for one in orders.announced if one.kind is not Kind.ATTENTION)
    assert (told.kind, told.joined, told.previous) == (Kind.SCHEDULED, False, Status.SUBMITTED)


def test_a_connection_has_statuses_of_its_own() -> None:
    own = {"Under  Review": "submitted", "accepted": "in_progress"}
    connection = type(OFFERGRID)(
        id="own", provider="offergrid", base_url="https://og.example", statuses=own
    )
    rules, orders = rules_of(adapter("offergrid"), connection), MemoryOrders()
    now = datetime(2026, 3, 3, tzinfo=UTC)
    record(report(None, 0, raw="under review"), orders=orders, rules=rules, now=now)
    (kept,) = orders.kept.values()
    assert (kept.order.status, kept.order.attention) == (Status.SUBMITTED, ())
    record(report(Status.ACCEPTED, 5), orders=orders, rules=rules, now=now)
    (kept,) = orders.kept.values()
    assert kept.order.status is Status.IN_PROGRESS
