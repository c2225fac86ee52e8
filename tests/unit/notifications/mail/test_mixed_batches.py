"""A batch is only an envelope: each of its notices ends in the log by its own facts."""

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.notifications.claims import Batch
from milepost.notifications.mail.held_notices import MOST_SHOWN
from milepost.notifications.mail.message import Mail
from milepost.notifications.mail.sender import Refused, TryAgainLater
from milepost.notifications.notice import Audience, Notice
from milepost.notifications.subscription import Subscription
from milepost.orders.order import Announcement, Kind, OrderKey, TrackedOrder
from tests.builders import NOON, OFFERGRID, announcement, minute, notice, report, tracked
from tests.fakes.connections import MemoryConnections
from tests.unit.notifications.mail.fake_mail_sending import (
    UNWRITABLE,
    Desk,
    Killed,
    PlainRenderer,
    raising,
)

DUE = minute(60)
LINA = "lina@example.org"
GONE = "offergrid-gone"
SENT = "sent"
ENDED = "unsubscribed on 2026-03-01"
AS_BEFORE = Subscription(id="", recipient=LINA, service_types=frozenset({"internet"}))

SUBSCRIPTIONS: dict[str, tuple[Subscription | None, tuple[str, str] | None]] = {
    "as it was": (AS_BEFORE, None),
    "of another spelling": (replace(AS_BEFORE, recipient=" Lina@Example.org"), None),
    "of all": (replace(AS_BEFORE, service_types=frozenset()), None),
    "deleted": (None, ("skipped", "the subscription was deleted")),
    "ended": (replace(AS_BEFORE, ended=ENDED), ("suppressed", ENDED)),
    "of other kinds": (
        replace(AS_BEFORE, kinds=frozenset({Kind.REJECTED})),
        ("skipped", "the subscription no longer asks for accepted"),
    ),
    "of another connection": (
        replace(AS_BEFORE, connections=frozenset({"rabot-energy"})),
        ("skipped", "the subscription no longer asks for {connection}"),
    ),
    "of other services": (
        replace(AS_BEFORE, service_types=frozenset({"insurance"})),
        ("skipped", "the subscription no longer asks for this service type"),
    ),
    "of another recipient": (
        replace(AS_BEFORE, recipient="jo@example.org"),
        ("skipped", "the subscription has another recipient now"),
    ),
}
ORDERS: dict[str, tuple[str, str] | None] = {
    "as announced": None,
    "moved on": None,
    "erased": ("skipped", "the order was erased"),
    "missing": ("skipped", "the order is no longer stored"),
    "unreadable": ("failed", "its order can't be read: KeyError"),
    "unwritable": ("failed", "its mail can't be rendered: OverflowError"),
}
BROKEN = "offergrid-broken"
CONNECTIONS = {
    OFFERGRID.id: None,
    GONE: ("failed", "its connection is not applied"),
    BROKEN: (
        "failed",
        "the settings of its connection can't be used: correct them, then resend it",
    ),
}
CASES = list(product(SUBSCRIPTIONS, CONNECTIONS, ORDERS))


@dataclass
class Mixed:
    """A batch of one notice for each case, or more, and how each has to end."""

    desk: Desk
    batch: Batch
    expected: dict[str, tuple[str, str]]

    def ends(self) -> dict[str, tuple[str, str | None]]:
        items = self.desk.log.items
        return {name: (items[name]["state"], items[name].get("reason")) for name in self.expected}


def mixed(*, times: int, suppressed: str | None = None) -> Mixed:
    desk = Desk()
    desk.connections.unusable.add(BROKEN)
    if suppressed:
        desk.suppressions.reasons[LINA, Audience.TEAM] = suppressed
    expected = {}
    notices = []
    for number, (subscription, connection, order) in enumerate(CASES * times):
        key = OrderKey(connection, f"ord-{number}", "item")
        found, of_subscription = SUBSCRIPTIONS[subscription]
        if found is not None:
            desk.subscribe(replace(found, id=f"sub-{number}"))
        keep(desk, key, order)
        one = notice(key=key, recipient=LINA, subscription=f"sub-{number}")
        notices.append(one)
        if subscription == "of other services" and order in ("erased", "missing", "unreadable"):
            # Nobody knows what such an order was about.
            of_subscription = None
        of_order = ORDERS[order]
        if order == "unwritable":
            end = of_subscription or CONNECTIONS[connection] or of_order
        else:
            end = of_subscription or of_order or CONNECTIONS[connection]
        if suppressed:
            end = ("suppressed", suppressed)
        state, reason = end or (SENT, "")
        expected[one.id] = (state, reason.format(connection=connection))
    return Mixed(desk, desk.hold(*notices, due_at=DUE), expected)


def keep(desk: Desk, key: OrderKey, state: str) -> None:
    status = Status.CANCELLED if state == "moved on" else Status.ACCEPTED
    reference = UNWRITABLE if state == "unwritable" else "PP-1"
    order = tracked(report(status, key=key, service_type="internet", reference=reference))
    if state == "unreadable":
        desk.orders.unreadable[key] = "KeyError"
    elif state != "missing":
        desk.orders.kept[key] = replace(order, erased_at=NOON if state == "erased" else None)


@pytest.mark.parametrize("times", [1, 12])
def test_each_notice_of_a_mixed_batch_ends_with_its_own_state_and_reason(times: int) -> None:
    made = mixed(times=times)
    made.desk.batches.send(made.batch, now=DUE)
    assert made.ends() == {
        name: (state, reason or None) for name, (state, reason) in made.expected.items()
    }
    (mail,) = [notices for _, notices in made.desk.mailer.sent]
    sent = {name for name, (state, _) in made.expected.items() if state == SENT}
    assert {one.id for one in mail} == sent
    assert len(sent) == 6 * times
    assert made.desk.holds.held(made.batch) == []


def test_to_an_address_that_is_stopped_none_of_a_mixed_batch_goes() -> None:
    made = mixed(times=1, suppressed="complained on 2026-03-01")
    made.desk.batches.send(made.batch, now=DUE)
    assert set(made.ends().values()) == {("suppressed", "complained on 2026-03-01")}
    assert made.desk.mailer.sent == []


def test_a_refusal_is_only_about_those_that_were_sent() -> None:
    made = mixed(times=1)
    made.desk.mailer.before = raising(Refused("SES refused the mail (MessageRejected)"))
    made.desk.batches.send(made.batch, now=DUE)
    refused = ("failed", "SES refused the mail (MessageRejected)")
    assert made.ends() == {
        name: refused if state == SENT else (state, reason)
        for name, (state, reason) in made.expected.items()
    }


def test_a_mixed_batch_that_is_interrupted_ends_as_one_that_is_not() -> None:
    made = mixed(times=1)
    made.desk.mailer.before = raising(TryAgainLater("Throttling"))
    with pytest.raises(TryAgainLater):
        made.desk.batches.send(made.batch, now=DUE)
    made.desk.batches.send(made.batch, now=DUE)
    assert made.ends() == {
        name: (state, reason or None) for name, (state, reason) in made.expected.items()
    }


def many(desk: Desk, count: int, **fields: str) -> list[Notice]:
    kinds = [Kind.COMPLETED, Kind.REJECTED, Kind.ACCEPTED]
    made = []
    for number in range(count):
        key = OrderKey(OFFERGRID.id, f"ord-{number:05}", "item")
        desk.keep_order(key=key)
        made.append(notice(kinds[number % 3], key=key, recipient=LINA, **fields))
    return made


def test_beyond_what_is_shown_orders_are_read_and_judged_and_counted() -> None:
    desk = Desk()
    notices = many(desk, 3 * MOST_SHOWN)
    last = notices[-1]
    desk.orders.kept[last.key] = replace(desk.orders.kept[last.key], erased_at=NOON)
    desk.batches.send(desk.hold(*notices, due_at=DUE), now=DUE)
    ((mail, told),) = desk.mailer.sent
    assert mail.subject.startswith(f"digest of {3 * MOST_SHOWN - 1}: ")
    assert mail.subject.endswith(f", and {2 * MOST_SHOWN - 1} more")
    assert {one.announcement.kind for one in told[:MOST_SHOWN]} == {Kind.REJECTED}
    assert desk.entry(last) == ("skipped", "the order was erased")
    assert {desk.entry(one) for one in notices[:-1]} == {("sent", "ses-1")}


def test_what_one_mail_cannot_stand_for_goes_with_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("milepost.notifications.mail.held_notices.MOST_IN_A_MAIL", 5)
    desk = Desk()
    notices = many(desk, 11)
    desk.batches.send(desk.hold(*notices, due_at=DUE), now=DUE)
    assert [len(told) for _, told in desk.mailer.sent] == [5, 5, 1]
    assert {desk.entry(one)[0] for one in notices} == {"sent"}


def test_while_orders_cannot_be_read_the_batch_waits_and_nothing_is_concluded() -> None:
    desk = Desk()
    notices = many(desk, 3)
    batch = desk.hold(*notices, due_at=DUE)
    desk.orders.unavailable = True
    with pytest.raises(TryAgainLater):
        desk.batches.send(batch, now=DUE)
    assert {desk.entry(one) for one in notices} == {("queued", None)}
    desk.orders.unavailable = False
    desk.batches.send(batch, now=DUE)
    assert {desk.entry(one) for one in notices} == {("sent", "ses-1")}


def test_when_none_of_several_can_be_written_the_fault_is_ours_and_all_wait() -> None:
    desk = Desk()
    notices = many(desk, 3)
    for one in notices:
        keep(desk, one.key, "unwritable")
    with pytest.raises(OverflowError):
        desk.batches.send(desk.hold(*notices, due_at=DUE), now=DUE)
    assert {desk.entry(one) for one in notices} == {("queued", None)}


class LineByLine(PlainRenderer):
    """Writes a mail of each order, but a line of none whose reference is UNWRITABLE."""

    def render(self, notice: Notice, tracked: TrackedOrder, **more: Any) -> Mail:
        return Mail(to=notice.recipient, subject="a mail of its own", text="", html="")


def test_what_cannot_be_a_line_of_a_digest_takes_no_other_with_it() -> None:
    desk = Desk()
    notices = many(desk, 3)
    keep(desk, notices[1].key, "unwritable")
    batches = replace(desk.batches, renderer=LineByLine())
    batches.send(desk.hold(*notices, due_at=DUE), now=DUE)
    assert [desk.entry(one) for one in notices] == [
        ("sent", "ses-1"),
        ("failed", "its mail can't be rendered: OverflowError"),
        ("sent", "ses-1"),
    ]


def test_the_only_notice_of_a_batch_that_cannot_be_written_has_failed() -> None:
    desk = Desk()
    (one,) = many(desk, 1)
    keep(desk, one.key, "unwritable")
    desk.batches.send(desk.hold(one, due_at=DUE), now=DUE)
    assert desk.entry(one) == ("failed", "its mail can't be rendered: OverflowError")


def test_subscriptions_of_one_recipient_in_two_zones_are_two_mails_each_in_its_own() -> None:
    desk = Desk()
    desk.subscribe(
        Subscription(id="berlin", recipient=LINA, language="de"),
        Subscription(id="sydney", recipient=LINA, time_zone="Australia/Sydney"),
    )
    notices = many(desk, 6)
    named = [
        replace(one, subscription=("berlin", "sydney")[number % 2], language="da")
        for number, one in enumerate(notices)
    ]
    desk.batches.send(desk.hold(*named, due_at=DUE), now=DUE)
    said = {mail.html: len(told) for mail, told in desk.mailer.sent}
    assert said == {"de Europe/Berlin": 3, "en Australia/Sydney": 3}
    assert {desk.entry(one)[0] for one in named} == {"sent"}


def test_a_sender_killed_between_two_mails_of_a_batch_sends_each_once() -> None:
    desk = Desk()
    desk.subscribe(
        Subscription(id="berlin", recipient=LINA, language="de"),
        Subscription(id="sydney", recipient=LINA, time_zone="Australia/Sydney"),
    )
    named = [
        replace(one, subscription=("berlin", "sydney")[number % 2])
        for number, one in enumerate(many(desk, 6))
    ]
    batch = desk.hold(*named, due_at=DUE)
    desk.log.marks_left = 2
    with pytest.raises(Killed):
        desk.batches.send(batch, now=DUE)
    desk.batches.send(batch, now=DUE + timedelta(minutes=5))
    assert sorted(len(told) for _, told in desk.mailer.sent) == [3, 3]
    assert {desk.entry(one) for one in named} == {("sent", "ses-1"), ("sent", "ses-2")}


CUSTOMERS = replace(OFFERGRID, customer_notices=frozenset({Kind.SCHEDULED, Kind.ACCEPTED}))
TOMORROW = "2026-03-03T09:00:00Z"


def customers_end(
    desk: Desk, kind: Kind, status: Status, *, order: TrackedOrder
) -> tuple[str, str | None]:
    one = notice(kind, recipient=LINA, audience=Audience.CUSTOMER)
    said: Announcement = announcement(kind, status=status)
    one = replace(one, announcement=said, key=order.order.key)
    desk.orders.kept[one.key] = order
    desk.batches.send(desk.hold(one, due_at=DUE), now=DUE)
    return desk.entry(one)


@pytest.mark.parametrize(
    ("kind", "said", "now", "end"),
    [
        (Kind.SCHEDULED, Status.SCHEDULED, Status.SCHEDULED, ("sent", "ses-1")),
        (Kind.ACCEPTED, Status.ACCEPTED, Status.SCHEDULED, ("sent", "ses-1")),
        (
            Kind.SCHEDULED,
            Status.SCHEDULED,
            Status.CANCELLED,
            ("skipped", "out of date: the order is cancelled now"),
        ),
        (
            Kind.ACCEPTED,
            Status.ACCEPTED,
            Status.REJECTED,
            ("skipped", "out of date: the order is rejected now"),
        ),
        (
            Kind.SCHEDULED,
            Status.SCHEDULED,
            Status.COMPLETED,
            ("skipped", "out of date: the order is completed now"),
        ),
        (
            Kind.COMPLETED,
            Status.COMPLETED,
            Status.COMPLETED,
            ("skipped", f"customer notices of kind completed are off for {OFFERGRID.id}"),
        ),
    ],
)
def test_a_customer_is_not_sent_what_would_mislead_them(
    kind: Kind, said: Status, now: Status, end: tuple[str, str]
) -> None:
    desk = Desk(connections=MemoryConnections.of(CUSTOMERS))
    order = tracked(report(now, appointment=TOMORROW))
    assert customers_end(desk, kind, said, order=order) == end


def test_a_customer_is_not_told_of_an_appointment_that_is_over() -> None:
    desk = Desk(connections=MemoryConnections.of(CUSTOMERS))
    over = "2026-03-02T07:00:00Z"
    order = tracked(report(Status.SCHEDULED, appointment=over))
    end = ("skipped", f"out of date: its appointment ({over}) is over")
    assert customers_end(desk, Kind.SCHEDULED, Status.SCHEDULED, order=order) == end


@pytest.mark.parametrize(
    ("contact", "end"),
    [
        ("Lead@example.org", ("sent", "ses-1")),
        ("other@example.org", ("skipped", "the connection has another contact now")),
        (None, ("skipped", "the connection has another contact now")),
    ],
)
def test_what_is_escalated_goes_to_whoever_is_the_contact_now(
    contact: str | None, end: tuple[str, str]
) -> None:
    desk = Desk(connections=MemoryConnections.of(replace(OFFERGRID, contact=contact)))
    one = notice(Kind.ESCALATED, recipient="lead@example.org")
    desk.keep_order(key=one.key)
    desk.queue(one)
    desk.sender.send(one, now=NOON)
    assert desk.entry(one) == end
