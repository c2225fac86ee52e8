"""Mails that are sent again only if a person insists, and those that never are."""

from dataclasses import replace
from typing import Any

import pytest

from milepost.common.errors import OrdersUnavailable
from milepost.common.status import Status
from milepost.notifications.notice import Audience, Notice
from milepost.notifications.resend import CannotResend, NeedsForce
from milepost.notifications.subscription import Subscription
from milepost.orders.order import Announcement, Kind
from tests.builders import OFFERGRID, notice
from tests.fakes.connections import MemoryConnections
from tests.unit.notifications.resend_desk import (
    AHEAD,
    ATTENTION,
    COMPLETED,
    ONE,
    OVERDUE,
    PAST,
    RESCHEDULED,
    SAID,
    SALES,
    SCHEDULED,
    Desk,
    keep,
)


@pytest.fixture
def desk() -> Desk:
    return Desk(ONE)


@pytest.mark.parametrize(
    ("said", "status", "more", "details", "why"),
    [
        (SAID, Status.CANCELLED, (), {}, "out of date: the order is cancelled now"),
        (SAID, Status.IN_PROGRESS, (), {}, "out of date: the order is in progress now"),
        (
            SCHEDULED,
            Status.CANCELLED,
            (),
            {"appointment": AHEAD},
            "out of date: the order is cancelled now",
        ),
        (
            SCHEDULED,
            Status.SCHEDULED,
            (),
            {"appointment": PAST},
            f"out of date: its appointment ({PAST}) is over",
        ),
        (
            SCHEDULED,
            Status.SCHEDULED,
            (),
            {"appointment": "2026-03-01"},
            "out of date: its appointment (2026-03-01) is over",
        ),
        (
            SCHEDULED,
            Status.SCHEDULED,
            (RESCHEDULED,),
            {"appointment": AHEAD},
            "out of date: its appointment was changed since",
        ),
        (COMPLETED, Status.CANCELLED, (), {}, "out of date: the order is cancelled now"),
        (
            OVERDUE,
            Status.ACCEPTED,
            (),
            {},
            "out of date: the order is no longer overdue in that stage",
        ),
        (
            ATTENTION,
            Status.ACCEPTED,
            (),
            {},
            "out of date: nothing of the order needs attention any more",
        ),
    ],
)
def test_what_is_out_of_date_is_refused_with_its_reason_and_sent_when_forced(
    said: Announcement,
    status: Status,
    more: tuple[Announcement, ...],
    details: dict[str, Any],
    why: str,
) -> None:
    one = replace(ONE, announcement=said)
    desk = Desk(one)
    desk.subscriptions.kept["sales"] = replace(SALES, kinds=frozenset(Kind))
    keep(desk, status, announced=(said, *more), **details)
    with pytest.raises(NeedsForce) as refused:
        desk.resend(one)
    assert str(refused.value) == why
    assert (desk.emails.puts, desk.requests.kept) == ([], {})
    again = desk.resend(one, force=True)
    assert (again.copy, again.forced) == (1, True)
    assert desk.emails.recipients == [one.recipient]


@pytest.mark.parametrize(
    ("said", "status", "details"),
    [
        (SAID, Status.ACCEPTED, {}),
        (SCHEDULED, Status.SCHEDULED, {"appointment": AHEAD}),
        (SCHEDULED, Status.SCHEDULED, {"appointment": "2026-03-02"}),
        (SCHEDULED, Status.SCHEDULED, {}),
        (COMPLETED, Status.ACTIVE, {}),
    ],
)
def test_what_still_holds_is_sent_again_without_a_word(
    said: Announcement, status: Status, details: dict[str, Any]
) -> None:
    one = replace(ONE, announcement=said)
    desk = Desk(one)
    keep(desk, status, announced=(said,), **details)
    assert desk.resend(one).forced is False


def test_a_mail_that_waited_for_the_date_is_not_out_of_date_because_the_date_came() -> None:
    one = replace(ONE, announcement=SCHEDULED)
    desk = Desk(one)
    date = replace(RESCHEDULED, joined=True)
    keep(desk, Status.SCHEDULED, announced=(SCHEDULED, date), appointment=AHEAD)
    assert desk.resend(one).forced is False


def refused_unless_forced(desk: Desk, one: Notice, **asked: Any) -> str:
    with pytest.raises(NeedsForce) as refused:
        desk.resend(one, **asked)
    assert desk.emails.puts == []
    desk.resend(one, force=True, **asked)
    assert len(desk.emails.puts) == 1
    return str(refused.value)


def test_a_kind_that_is_off_for_customers_is_refused_unless_it_is_forced() -> None:
    theirs = notice(audience=Audience.CUSTOMER, recipient="lena@example.org")
    desk = Desk(theirs)
    desk.connections = MemoryConnections.of(OFFERGRID)
    why = f"customer notices of kind accepted are off for {OFFERGRID.id}"
    assert refused_unless_forced(desk, theirs) == why


def test_a_stopped_address_is_refused_unless_it_is_forced(desk: Desk) -> None:
    desk.suppressions.reasons[ONE.recipient, Audience.TEAM] = "complained on 2026-03-01"
    assert refused_unless_forced(desk, ONE) == "complained on 2026-03-01"


def test_a_stopped_address_is_refused_also_as_another_one_than_the_notices_own(
    desk: Desk,
) -> None:
    desk.suppressions.reasons["lena@example.org", Audience.TEAM] = "bounced before"
    assert refused_unless_forced(desk, ONE, to="lena@example.org") == "bounced before"


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (None, "the subscription was deleted"),
        (replace(SALES, ended="unsubscribed on 2026-03-01"), "unsubscribed on 2026-03-01"),
        (
            replace(SALES, kinds=frozenset({Kind.REJECTED})),
            "the subscription no longer asks for accepted",
        ),
    ],
)
def test_a_subscriber_who_wants_it_no_more_is_not_sent_it_again_unless_it_is_forced(
    now: Subscription | None, why: str, desk: Desk
) -> None:
    desk.subscriptions.kept = {"sales": now} if now else {}
    assert refused_unless_forced(desk, ONE) == why


def test_no_force_sends_a_mail_of_a_connection_that_was_removed(desk: Desk) -> None:
    desk.connections = MemoryConnections()
    for force in (False, True):
        with pytest.raises(CannotResend, match="its connection is not applied") as refused:
            desk.resend(force=force)
        assert not isinstance(refused.value, NeedsForce)


def test_while_the_order_cannot_be_read_nothing_is_concluded(desk: Desk) -> None:
    desk.orders.unavailable = True
    with pytest.raises(OrdersUnavailable):
        desk.resend()
    desk.orders.unavailable = False
    assert desk.resend().copy == 1
