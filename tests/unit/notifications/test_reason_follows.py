"""A rejection, failure or cancellation whose reason the provider gives later."""

from dataclasses import replace
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.notifications.announcement_message import topic_message
from milepost.notifications.eligibility import SAID_WITH_REASON, Facts, customer_notices_off, judge
from milepost.notifications.notice import Audience, Channel, Notice
from milepost.notifications.recipients import (
    REASON_FOLLOWED,
    REASON_IS_SAID,
    Choice,
    choose,
)
from milepost.notifications.subscription import Subscription
from milepost.orders.announcements import Announced
from milepost.orders.order import Announcement, Kind, TrackedOrder
from milepost.orders.recording import record
from milepost.orders.report import Report, Source
from tests.builders import KEY, OFFERGRID, RULES, minute, report
from tests.fakes.orders import MemoryOrders
from tests.unit.notifications.mail.rendering.mail_builders import renderer

WHY = "Address is outside of the service area"
CAUSE = "The address is outside of the service area."
SECOND = 1 / 60
SALES = Subscription(id="s1", recipient="sales@example.org")
CRM = Subscription(id="s2", recipient="https://crm.example.com/hooks", channel=Channel.HTTPS)
CUSTOMERS = replace(OFFERGRID, customer_notices=frozenset({Kind.REJECTED}))


def ended(status: Status = Status.REJECTED, seen: float = 5, **details: Any) -> Report:
    return report(status, 5, raw=str(status), seen=seen, **details)


def by_poll(status: Status = Status.REJECTED, *, seen: float, **details: Any) -> Report:
    return replace(ended(status, seen, **details), source=Source.POLL)


def recorded(*reports: Report) -> MemoryOrders:
    orders = MemoryOrders()
    for one in (report(Status.SUBMITTED, 0, seen=0, customer={"email": "c@example.com"}), *reports):
        record(one, orders=orders, rules=RULES, now=one.seen_at)
    return orders


def told(orders: MemoryOrders) -> list[tuple[Kind, Status | None, bool]]:
    found = (one for one in orders.announced if one.kind is not Kind.ATTENTION)
    return [(one.kind, one.previous, one.joined) for one in found]


def of(one: Announcement, tracked: TrackedOrder) -> Announced:
    return Announced(
        key=KEY,
        provider="offergrid",
        announcement=one,
        raw_status="rejected",
        details=tracked.order.details,
    )


def chosen(orders: MemoryOrders) -> list[Choice]:
    last = of(orders.announced[-1], orders.kept[KEY])
    return choose(last, [SALES, CRM], CUSTOMERS, now=minute(60))


@pytest.mark.parametrize("status", [Status.REJECTED, Status.FAILED, Status.CANCELLED])
def test_a_reason_that_follows_is_announced_again_as_the_same_kind(status: Status) -> None:
    kind = Kind(str(status))
    orders = recorded(ended(status), by_poll(status, seen=20, reason=WHY))
    assert told(orders) == [(kind, Status.SUBMITTED, False), (kind, status, False)]
    said = topic_message(of(orders.announced[-1], orders.kept[KEY]))
    assert (said["reason"], said["status"], said["previous_status"]) == (CAUSE, status, status)
    assert said["id"] == f"{KEY}/2"


def test_it_is_announced_once_however_often_it_comes_and_goes() -> None:
    later = [
        by_poll(seen=20, reason=WHY),
        by_poll(seen=30),
        by_poll(seen=40, reason=WHY),
        by_poll(seen=50, reason="Another one"),
    ]
    assert len(told(recorded(ended(), *later))) == 2
    at_first = [ended(reason=WHY), by_poll(seen=20), by_poll(seen=30, reason=WHY)]
    assert len(told(recorded(*at_first))) == 1


def test_it_is_not_announced_of_an_ending_that_nobody_was_told_of() -> None:
    orders = MemoryOrders()
    for one, announce in ((ended(), False), (by_poll(seen=20, reason=WHY), True)):
        record(one, orders=orders, rules=RULES, now=one.seen_at, announce=announce)
    assert told(orders) == []


def test_a_program_and_the_team_are_told_of_it_and_the_customer_is_not() -> None:
    choices = chosen(recorded(ended(), by_poll(seen=20, reason=WHY)))
    assert [(one.notice.recipient, one.skipped) for one in choices] == [
        (SALES.recipient, None),
        (CRM.recipient, None),
        ("c@example.com", REASON_FOLLOWED),
    ]


def test_what_is_off_for_customers_is_logged_as_such_also_of_a_reason() -> None:
    orders = recorded(ended(), by_poll(seen=20, reason=WHY))
    last = of(orders.announced[-1], orders.kept[KEY])
    [one] = choose(last, [], OFFERGRID, now=minute(60))
    assert one.skipped == customer_notices_off(Kind.REJECTED, OFFERGRID)
    nameless = replace(last, details={"reason": WHY})
    [one] = choose(nameless, [], CUSTOMERS, now=minute(60))
    assert one.skipped == REASON_FOLLOWED


def test_a_reason_that_follows_at_once_is_in_the_mail_that_waited_for_it() -> None:
    orders = recorded(ended(), by_poll(seen=5 + 3 * SECOND, reason=WHY))
    assert told(orders)[-1] == (Kind.REJECTED, Status.REJECTED, True)
    assert [one.skipped for one in chosen(orders)] == [REASON_IS_SAID, None, REASON_FOLLOWED]
    first = notice_of(orders.announced[0])
    assert judge(first, facts(orders), now=minute(6)) is None


def notice_of(one: Announcement, **changes: Any) -> Notice:
    fields: dict[str, Any] = {"recipient": SALES.recipient, "subscription": SALES.id, **changes}
    return Notice(key=KEY, announcement=one, channel=Channel.EMAIL, **fields)


def facts(orders: MemoryOrders) -> Facts:
    return Facts(subscription=SALES, connection=CUSTOMERS, tracked=orders.kept[KEY])


def test_a_mail_that_was_held_meanwhile_is_not_sent_beside_the_one_with_the_reason() -> None:
    orders = recorded(ended(), by_poll(seen=20, reason=WHY))
    first, second = orders.announced
    held = judge(notice_of(first), facts(orders), now=minute(60))
    assert held is not None
    assert held.reason == SAID_WITH_REASON
    assert judge(notice_of(second), facts(orders), now=minute(60)) is None
    # A customer gets no second one, and a copy was asked for by a person.
    customer = notice_of(first, audience=Audience.CUSTOMER, subscription=None)
    assert judge(customer, facts(orders), now=minute(60)) is None
    assert judge(notice_of(first, copy=1), facts(orders), now=minute(60)) is None


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", "The provider gave the reason later."),
        ("de", "Den Grund hat der Anbieter nachgereicht."),
        ("da", "Udbyderen har oplyst årsagen senere."),
    ],
)
def test_the_mail_says_that_only_the_reason_is_new(language: str, says: str) -> None:
    orders = recorded(ended(), by_poll(seen=20, reason=WHY))
    first, second = orders.announced
    later = renderer().render(notice_of(second, language=language), orders.kept[KEY])
    text = " ".join(later.text.split())
    assert WHY in text
    assert says in text
    at_first = renderer().render(notice_of(first, language=language), orders.kept[KEY])
    assert says not in " ".join(at_first.text.split())
