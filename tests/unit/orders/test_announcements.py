"""What of an order's change people are told."""

from dataclasses import replace

import pytest

from milepost.common.status import Status
from milepost.orders.announcements import MOST_ANNOUNCED, announcements, kept
from milepost.orders.order import Kind, TrackedOrder
from milepost.orders.provider_rules import Rules
from milepost.orders.recording import record
from milepost.orders.report import Report
from milepost.providers.rabot import RULES as RABOT_RULES
from milepost.providers.registry import adapter
from tests.builders import KEY, RULES, announcement, minute, report, tracked
from tests.fakes.orders import MemoryOrders


def told(*reports: Report, rules: Rules = RULES) -> list[Kind]:
    """The kinds announced when these reports arrive in this order."""
    orders = MemoryOrders()
    for one in reports:
        record(one, orders=orders, rules=rules, now=one.seen_at)
    return [one.kind for one in orders.announced]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (Status.ACCEPTED, Kind.ACCEPTED),
        (Status.REJECTED, Kind.REJECTED),
        (Status.COMPLETED, Kind.COMPLETED),
        (Status.ACTIVE, Kind.COMPLETED),
        (Status.CANCELLED, Kind.CANCELLED),
        (Status.FAILED, Kind.FAILED),
    ],
)
def test_a_transition_is_told_as_its_kind(status: Status, kind: Kind) -> None:
    assert told(report(Status.SUBMITTED, 0), report(status, 5)) == [kind]


@pytest.mark.parametrize("status", [Status.PENDING, Status.SUBMITTED, Status.IN_PROGRESS])
def test_some_transitions_are_told_to_nobody(status: Status) -> None:
    assert told(report(status, 5)) == []


def test_a_completion_is_told_once() -> None:
    assert told(report(Status.COMPLETED, 0), report(Status.ACTIVE, 60)) == [Kind.COMPLETED]


def test_a_new_appointment_is_told_as_rescheduled() -> None:
    kinds = told(
        report(Status.SCHEDULED, 0, appointment="2026-03-12T02:00:00Z"),
        report(Status.SCHEDULED, 60, appointment="2026-03-14T02:00:00Z"),
    )
    assert kinds == [Kind.SCHEDULED, Kind.RESCHEDULED]


def test_an_appointment_that_follows_its_status_at_once_is_announced_and_shares_the_mail() -> None:
    orders = MemoryOrders()
    for one in (
        report(Status.SCHEDULED, 0),
        report(Status.SCHEDULED, 0, appointment="2026-03-12"),
        report(Status.SCHEDULED, 0, appointment="2026-03-12", reference="PP-20417"),
    ):
        record(one, orders=orders, rules=RULES, now=one.seen_at)
    schedule, date = orders.announced
    assert (schedule.kind, schedule.joined) == (Kind.SCHEDULED, False)
    assert (date.kind, date.previous, date.joined) == (Kind.RESCHEDULED, Status.SCHEDULED, True)
    assert date.is_date_of_schedule


@pytest.mark.parametrize("dates", [(None, "2026-03-20"), ("2026-03-20", None)])
def test_an_installation_that_is_scheduled_again_has_no_date_until_one_is_named(
    dates: tuple[str | None, ...],
) -> None:
    orders = MemoryOrders()
    again = [
        report(Status.SCHEDULED, 10, raw="scheduled", **({"appointment": one} if one else {}))
        for one in dates
    ]
    first = report(Status.SCHEDULED, 0, raw="scheduled", appointment="2026-03-12")
    seen = []
    for one in (first, report(Status.FAILED, 5, raw="failed"), *again):
        record(one, orders=orders, rules=adapter("offergrid").rules, now=one.seen_at)
        seen.append(orders.kept[KEY].order.appointment)
    assert seen == ["2026-03-12", "2026-03-12", dates[0], "2026-03-20"]
    kinds = [
        one.kind
        for one in orders.announced
        if one.kind is not Kind.ATTENTION and not one.is_date_of_schedule
    ]
    assert kinds == [Kind.SCHEDULED, Kind.FAILED, Kind.CORRECTION, Kind.SCHEDULED]


def test_a_first_appointment_that_comes_after_the_mail_went_out_has_its_own_mail() -> None:
    orders = MemoryOrders()
    for one in (
        report(Status.SCHEDULED, 0),
        report(Status.SCHEDULED, 0, seen=1.2, appointment="2026-03-12"),
        report(Status.SCHEDULED, 2, appointment="2026-03-12"),
    ):
        record(one, orders=orders, rules=RULES, now=one.seen_at)
    kinds = [(one.kind, one.joined) for one in orders.announced]
    assert kinds == [(Kind.SCHEDULED, False), (Kind.RESCHEDULED, False)]


def test_an_appointment_that_moves_at_once_has_its_own_mail() -> None:
    orders = MemoryOrders()
    for one in (
        report(Status.SCHEDULED, 0, appointment="2026-03-12"),
        report(Status.SCHEDULED, 0.01, appointment="2026-03-14"),
    ):
        record(one, orders=orders, rules=RULES, now=one.seen_at)
    kinds = [(one.kind, one.joined) for one in orders.announced]
    assert kinds == [(Kind.SCHEDULED, False), (Kind.RESCHEDULED, False)]


def test_a_completion_that_an_earlier_dated_cancellation_undoes_is_told_as_a_correction() -> None:
    orders = MemoryOrders()
    for one in (report(Status.COMPLETED, 3), report(Status.CANCELLED, 2, seen=60)):
        record(one, orders=orders, rules=RULES, now=one.seen_at)
    first, second = (one for one in orders.announced if one.kind is not Kind.ATTENTION)
    assert (first.kind, first.correction) == (Kind.COMPLETED, False)
    assert (second.kind, second.correction) == (Kind.CORRECTION, True)
    assert (second.previous, second.status) == (Status.COMPLETED, Status.CANCELLED)


def test_an_ending_that_nobody_was_told_of_is_not_corrected() -> None:
    orders = MemoryOrders()
    record(report(Status.COMPLETED, 3), orders=orders, rules=RULES, now=minute(4), announce=False)
    record(report(Status.CANCELLED, 2), orders=orders, rules=RULES, now=minute(60))
    assert [one.kind for one in orders.announced][:1] == [Kind.CANCELLED]


def test_an_appointment_that_moves_in_the_past_of_an_order_is_told_to_nobody() -> None:
    kinds = told(
        report(Status.SCHEDULED, 60, appointment="2026-03-14"),
        report(Status.SCHEDULED, 0, appointment="2026-03-12"),
    )
    assert kinds == [Kind.SCHEDULED]


def test_a_late_report_is_told_to_nobody() -> None:
    assert told(report(Status.COMPLETED, 30), report(Status.ACCEPTED, 20)) == [Kind.COMPLETED]


def test_a_duplicate_is_told_to_nobody() -> None:
    assert told(*[report(Status.ACCEPTED, 0)] * 50) == [Kind.ACCEPTED]


def test_a_confirmation_by_another_way_is_told_to_nobody() -> None:
    kinds = told(report(Status.ACCEPTED, 0), report(Status.ACCEPTED, 0, reference="PP-20417"))
    assert kinds == [Kind.ACCEPTED]


def test_an_unknown_status_is_told_only_as_attention() -> None:
    kinds = told(report(Status.ACCEPTED, 0), report(None, 5, raw="???"), report(None, 6, raw="!!!"))
    assert kinds == [Kind.ACCEPTED, Kind.ATTENTION]


def test_out_of_sequence_is_told_as_attention() -> None:
    kinds = told(report(Status.COMPLETED, 0), report(Status.SCHEDULED, 5))
    assert kinds == [Kind.COMPLETED, Kind.ATTENTION]


def test_a_decision_that_is_taken_back_is_told_as_a_correction() -> None:
    orders = MemoryOrders()
    confirmed = report(Status.ACCEPTED, 5, raw="PendingDelivery")
    for one in (report(Status.REJECTED, 0, raw="Denied"), confirmed):
        record(one, orders=orders, rules=RABOT_RULES, now=one.seen_at)
    rejected, corrected, _attention = orders.announced
    assert (rejected.kind, rejected.correction) == (Kind.REJECTED, False)
    assert (corrected.kind, corrected.correction) == (Kind.CORRECTION, True)
    assert (corrected.previous, corrected.status) == (Status.REJECTED, Status.ACCEPTED)


def test_the_end_of_a_delivery_is_told_as_cancelled() -> None:
    kinds = told(
        report(Status.ACTIVE, 0, raw="Delivery"), report(Status.CANCELLED, 5), rules=RABOT_RULES
    )
    assert kinds == [Kind.COMPLETED, Kind.CANCELLED]


def test_announcements_are_numbered_through_an_orders_life() -> None:
    orders = MemoryOrders()
    for at, status in enumerate((Status.ACCEPTED, Status.SCHEDULED, Status.COMPLETED)):
        record(report(status, at), orders=orders, rules=RULES, now=minute(9))
    assert [one.sequence for one in orders.announced] == [1, 2, 3]
    assert [one.id_for(KEY)[-2:] for one in orders.announced] == ["/1", "/2", "/3"]


def test_an_announcement_says_when_it_happened_and_when_we_learned_it() -> None:
    after = tracked(report(Status.ACCEPTED, 0)).order
    (one,) = announcements(None, after, now=minute(7))
    assert (one.occurred_at, one.announced_at, one.previous) == (minute(0), minute(7), None)


def test_nothing_changes_and_nothing_is_told() -> None:
    before: TrackedOrder = tracked(report(Status.ACCEPTED, 0))
    assert announcements(before, before.order, now=minute(5)) == ()


def test_of_very_many_announcements_the_last_are_kept_and_what_decides_the_next() -> None:
    orders = MemoryOrders()
    life = [report(Status.COMPLETED, 0), report(Status.SCHEDULED, -60, appointment="2026-03-01")]
    for one in life:
        record(one, orders=orders, rules=RULES, now=one.seen_at)
    many = tuple(
        announcement(Kind.ATTENTION, number, status=Status.COMPLETED)
        for number in range(2, 3 * MOST_ANNOUNCED)
    )
    before = orders.kept[KEY]
    stay = kept((*before.announced, *many))
    assert [one.sequence for one in stay] == [1, *range(2 * MOST_ANNOUNCED, 3 * MOST_ANNOUNCED)]
    orders.kept[KEY] = replace(before, announced=stay)
    record(report(Status.ACTIVE, 90), orders=orders, rules=RULES, now=minute(91))
    record(report(Status.PENDING, 95), orders=orders, rules=RULES, now=minute(96))
    new = [(one.sequence, one.kind) for one in orders.announced[1:]]
    assert new == [(3 * MOST_ANNOUNCED, Kind.ATTENTION)]


def test_a_thousand_appointments_are_numbered_and_told_once_each() -> None:
    orders = MemoryOrders()
    days = [f"2026-{at % 12 + 1:02}-{at % 28 + 1:02}" for at in range(1_000)]
    for at, day in enumerate(days):
        record(
            report(Status.SCHEDULED, at, appointment=day),
            orders=orders,
            rules=RULES,
            now=minute(at),
        )
    assert [one.sequence for one in orders.announced] == list(range(1, 1_001))
    after = orders.kept[KEY]
    assert after.announced[0].kind is Kind.SCHEDULED
    assert after.announced[1:] == tuple(orders.announced[-MOST_ANNOUNCED:])


def test_what_is_kept_is_all_of_a_usual_life() -> None:
    few = tuple(announcement(Kind.RESCHEDULED, number) for number in range(1, MOST_ANNOUNCED + 1))
    assert kept(few) == few


def test_an_ending_that_was_told_is_taken_back_also_when_more_was_told_since() -> None:
    """The rejection is not the last thing that people were told; an earlier-dated report, which
    comes late, shows that it never was."""
    orders = MemoryOrders()
    arrived = [
        report(Status.REJECTED, 10),
        report(None, 20, raw="on_hold"),
        report(Status.COMPLETED, 5, seen=30),
    ]
    for one in arrived:
        record(one, orders=orders, rules=RULES, now=one.seen_at)
    kinds = [one.kind for one in orders.announced]
    assert kinds == [Kind.REJECTED, Kind.ATTENTION, Kind.CORRECTION]


def test_an_ending_that_nobody_was_told_of_is_taken_back_in_silence() -> None:
    orders = MemoryOrders()
    record(report(Status.REJECTED, 10), orders=orders, rules=RULES, now=minute(11), announce=False)
    record(report(Status.COMPLETED, 5, seen=30), orders=orders, rules=RULES, now=minute(30))
    assert Kind.CORRECTION not in [one.kind for one in orders.announced]
