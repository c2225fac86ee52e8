"""Why orders ended and how fast others were accepted, counted as their history stands."""

from typing import Any

import pytest

from milepost.common.status import Status
from milepost.orders.details import MALO, METER_NUMBER
from milepost.orders.order import Order
from milepost.orders.report import Report
from milepost.providers.rabot import RULES as RABOT_RULES
from milepost.queries.cause_figures import (
    NEITHER,
    Acceptance,
    AcceptanceKey,
    Ending,
    OutcomeKey,
    acceptance_of,
    compare_acceptances,
    ending_of,
    with_shares,
)
from milepost.queries.histogram import Tally
from milepost.queries.stage_durations import FORM, Counted, change_of, count
from tests.builders import report, tracked
from tests.stream import Figures, Stream

VALID_MALO = "51238696781"
DAY = 24 * 60


def order(*reports: Report) -> Order:
    return tracked(*reports).order


@pytest.mark.parametrize(
    ("details", "cause"),
    [
        ({"reason": "Bonitätsprüfung negativ"}, "credit_check"),
        ({"reason": "Bonitätsprüfung negativ", "cause": "other"}, "credit_check"),
        ({"reason": "It rained", "cause": "other"}, "other"),
        ({}, "none"),
    ],
)
@pytest.mark.parametrize("status", [Status.REJECTED, Status.FAILED, Status.CANCELLED])
def test_an_order_that_came_to_nothing_has_an_ending(
    status: Status, details: dict[str, Any], cause: str
) -> None:
    ended = order(report(Status.PENDING, service_type="energy"), report(status, 60, **details))
    assert ending_of(ended) == Ending(status, "2026-03", "energy", cause)


def test_an_order_that_goes_on_or_succeeded_has_none() -> None:
    assert ending_of(order(report(Status.PENDING))) is None
    assert ending_of(order(report(Status.COMPLETED))) is None


@pytest.mark.parametrize(
    ("details", "identifiers"),
    [
        ({"malo": VALID_MALO, "meter_number": "1EMH0012345678"}, MALO),
        ({"malo": "512 3869 6781"}, MALO),
        ({"malo": "12345678910"}, NEITHER),
        ({"malo": "12345678910", "meter_number": "1EMH0012345678"}, METER_NUMBER),
        ({}, NEITHER),
    ],
)
def test_an_acceptance_has_the_identifiers_that_were_known_while_it_was_pending(
    details: dict[str, Any], identifiers: str
) -> None:
    accepted = order(
        report(Status.PENDING),
        report(None, 30, **details),
        report(Status.SUBMITTED, 60),
        report(None, 90, malo=VALID_MALO),
        report(Status.ACCEPTED, DAY),
        report(Status.SCHEDULED, 2 * DAY),
    )
    assert acceptance_of(accepted) == Acceptance("2026-03", "", identifiers, DAY * 60_000)


def test_an_order_that_was_accepted_when_it_was_first_seen_is_not_measured() -> None:
    assert acceptance_of(order(report(Status.ACCEPTED), report(Status.ACTIVE, 60))) is None
    assert acceptance_of(order(report(Status.PENDING), report(Status.REJECTED, 60))) is None


def counted(*reports: Report, times: int = 1) -> Figures:
    stream, figures = Stream(RABOT_RULES), Figures()
    for one in reports:
        stream.report(one)
    for _ in range(times):
        figures.take(stream.changes)
    return figures


DENIED = report(Status.REJECTED, 60, raw="Denied", reason="Zählernummer unbekannt")


def test_a_rejection_that_is_told_again_counts_once_and_one_taken_back_not_at_all() -> None:
    told = [report(Status.PENDING, raw="Open"), DENIED, DENIED]
    (key,) = (+counted(*told, times=3).outcomes).keys()
    assert (key.status, key.cause) == (Status.REJECTED, "meter_data")
    assert +counted(*told, times=2).outcomes == {key: 1}
    recovered = counted(*told, report(Status.ACCEPTED, 90, raw="PendingDelivery"), times=2)
    assert not +recovered.outcomes
    (tally,) = recovered.acceptances.values()
    assert (tally.count, tally.milliseconds) == (1, 90 * 60_000)


def test_a_late_report_moves_an_acceptance_by_the_difference() -> None:
    both = (
        report(Status.SUBMITTED, 60, raw="Processing"),
        report(Status.ACCEPTED, 180, raw="PendingDelivery"),
    )
    figures, late = counted(*both), counted(*both, report(Status.PENDING, 0, raw="Open"))
    assert [one.milliseconds for one in figures.acceptances.values()] == [120 * 60_000]
    assert [one.milliseconds for one in late.acceptances.values()] == [180 * 60_000]


def test_an_erasure_and_a_removal_leave_the_figures_as_they_are() -> None:
    stream, figures = Stream(RABOT_RULES), Figures()
    reports = (report(Status.PENDING, malo=VALID_MALO), report(Status.ACCEPTED, 30))
    for one in (*reports, report(Status.CANCELLED, 60, reason="Widerruf")):
        stream.report(one)
    figures.take(stream.changes)
    before = (dict(+figures.outcomes), {**figures.acceptances})
    (key,) = figures.counted
    stream.erase(key)
    figures.take(stream.changes)
    stream.remove(key)
    figures.take(stream.changes)
    assert (dict(+figures.outcomes), {**figures.acceptances}) == before
    assert figures.counted[key].status is None


def test_a_backfill_counts_what_an_earlier_version_counted_without_outcomes() -> None:
    rejected = tracked(report(Status.PENDING), DENIED)
    change = change_of(None, rejected)
    known = Counted(version=rejected.version, status=Status.REJECTED, sequence="7".zfill(40))
    found = count(known, [change])
    assert found is not None
    assert found.ending is not None
    assert found.form == FORM
    assert count(found, [change]) is found


def test_shares_are_of_the_same_connection_service_month_and_outcome() -> None:
    def key(month: str, status: Status, cause: str) -> OutcomeKey:
        return OutcomeKey("rabot", month, "energy", status, cause)

    found = with_shares(
        {
            key("2026-03", Status.REJECTED, "credit_check"): 3,
            key("2026-03", Status.REJECTED, "other"): 1,
            key("2026-03", Status.CANCELLED, "other"): 5,
            key("2026-04", Status.REJECTED, "other"): 2,
            key("2026-04", Status.REJECTED, "none"): 0,
        }
    )
    assert [(one.key.month, one.key.cause, one.count, one.share) for one in found] == [
        ("2026-03", "other", 5, 1.0),
        ("2026-03", "credit_check", 3, 0.75),
        ("2026-03", "other", 1, 0.25),
        ("2026-04", "other", 2, 1.0),
    ]


def tally(*hours: int) -> Tally:
    made = Tally()
    for one in hours:
        made.add(one * 3_600_000)
    return made


def test_orders_with_numbers_are_compared_with_those_without() -> None:
    def key(connection: str, identifiers: str) -> AcceptanceKey:
        return AcceptanceKey(connection, "2026-03", "energy", identifiers)

    found = compare_acceptances(
        [
            (key("rabot", NEITHER), tally(100, 100)),
            (key("rabot", MALO), tally(5, 15)),
            (key("rabot", METER_NUMBER), tally(150)),
            (key("offergrid", NEITHER), tally(1)),
            (key("new", MALO), tally(1)),
        ]
    )
    assert [(one.connection, one.identifiers, one.count, one.faster) for one in found] == [
        ("new", MALO, 1, None),
        ("rabot", MALO, 2, 0.9),
        ("rabot", METER_NUMBER, 1, -0.5),
        ("rabot", NEITHER, 2, None),
    ]
