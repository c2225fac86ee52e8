"""Why somebody got a notice of an order, or didn't: from the log, and from who is notified."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.connections.connection import Connection
from milepost.notifications.aws.delivery_log_items import notice_item
from milepost.notifications.explanation import (
    NOT_KNOWN_THEN,
    Circumstances,
    Explained,
    explain,
)
from milepost.notifications.notice import Audience, Channel, Notice
from milepost.notifications.notice_list import WantedNotices
from milepost.notifications.recipients import Choice
from milepost.notifications.subscription import Subscription
from milepost.orders.order import Kind
from tests.builders import KEY, OFFERGRID, announcement, minute, notice, report, tracked

SALES, CUSTOMER, CHAT = "sales@example.org", "charlotte@example.com", "hooks.slack.com/0a1b2c3d4e5f"
ENDPOINT = "https://crm.example.org/hooks"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:announcements"


def entry(one: Notice, **changes: Any) -> Mapping[str, Any]:
    return notice_item(Choice(notice=one), at=minute(1)) | changes


def explained(
    wanted: WantedNotices,
    *,
    kinds: Sequence[Kind] = (Kind.ACCEPTED,),
    entries: Sequence[Mapping[str, Any]] = (),
    subscriptions: Sequence[Subscription] = (),
    connection: Connection | None = OFFERGRID,
    email: str = CUSTOMER,
) -> list[Explained]:
    told = tuple(announcement(kind, number) for number, kind in enumerate(kinds, start=1))
    details = {"customer": {"email": email}, "service_type": "internet"}
    order = tracked(report(Status.ACCEPTED, **details), announced=told, version=1)
    of = Circumstances(
        key=KEY,
        tracked=order,
        entries=entries,
        subscriptions=subscriptions,
        connection=connection,
    )
    return explain(wanted, of)


def why(wanted: WantedNotices, **how: Any) -> str:
    [one] = explained(wanted, **how)
    assert one.entry is None
    return " ".join(one.why)


def to(recipient: str) -> WantedNotices:
    return WantedNotices(recipient=recipient)


@pytest.mark.parametrize(
    ("channel", "recipient", "wanted"),
    [
        (Channel.EMAIL, SALES, to("Sales@Example.org")),
        (Channel.HTTPS, f"{ENDPOINT}?token=1", to(ENDPOINT)),
        (Channel.SLACK, CHAT, to(CHAT)),
        (Channel.TEAMS, CHAT.replace("slack", "teams"), to(CHAT.replace("slack", "teams"))),
        (Channel.SNS, TOPIC, WantedNotices(channel=Channel.SNS)),
        (Channel.EVENT_BUS, "events", WantedNotices(channel=Channel.EVENT_BUS)),
    ],
)
def test_what_the_log_has_of_a_recipient_is_the_explanation_by_every_channel(
    channel: Channel, recipient: str, wanted: WantedNotices
) -> None:
    mine = entry(replace(notice(recipient=recipient), channel=channel), state="failed", reason="x")
    other = entry(notice(recipient="somebody@else.example"))
    [one] = explained(wanted, entries=[other, mine])
    assert (one.entry, one.why) == (mine, ())


def test_each_announcement_is_explained_in_order_also_one_that_the_order_no_longer_has() -> None:
    third = notice(Kind.COMPLETED, recipient=SALES)
    third = replace(third, announcement=announcement(Kind.COMPLETED, 3))
    found = explained(
        to(SALES), kinds=[Kind.ACCEPTED, Kind.SCHEDULED], entries=[entry(third, state="sent")]
    )
    assert [(one.sequence, one.kind, one.entry is None) for one in found] == [
        (1, "accepted", True),
        (2, "scheduled", True),
        (3, "completed", False),
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kinds": frozenset({Kind.REJECTED})}, "It does not ask for “accepted”."),
        ({"connections": frozenset({"shop"})}, "It is about other connections: shop."),
        ({"service_types": frozenset({"power"})}, "It is about other services: power."),
        ({"ended": "unsubscribed on 2026-03-01"}, "It is over: unsubscribed on 2026-03-01."),
        ({}, NOT_KNOWN_THEN),
    ],
)
def test_without_an_entry_each_subscription_of_the_recipient_says_why(
    changes: dict[str, Any], said: str
) -> None:
    mine = Subscription(id="chat", recipient=CHAT, channel=Channel.SLACK, **changes)
    others = Subscription(id="other", recipient=SALES)
    assert why(to(CHAT), subscriptions=[others, mine]) == f"Subscription chat: {said}"


def test_somebody_who_has_nothing_to_do_with_the_order_is_told_so() -> None:
    said = why(to("nobody@example.org"), subscriptions=[Subscription(id="s", recipient=SALES)])
    assert said == (
        f"No subscription has this recipient, who is neither the order's customer nor the contact "
        f"of {KEY.connection}."
    )


def test_the_customer_is_told_apart_from_a_subscriber() -> None:
    on = replace(OFFERGRID, customer_notices=frozenset({Kind.ACCEPTED}))
    assert why(to(CUSTOMER)) == f"Customers: customer notices of kind accepted are off for {on.id}."
    assert why(to(CUSTOMER), kinds=[Kind.ATTENTION]) == "Customers are not notified of “attention”."
    assert why(to(CUSTOMER), connection=on) == f"The customer: {NOT_KNOWN_THEN}"
    before = entry(notice(recipient="before@example.com", audience=Audience.CUSTOMER))
    assert "another one" in why(to(CUSTOMER), connection=on, entries=[before])
    both = why(to(CUSTOMER), subscriptions=[Subscription(id="s", recipient=CUSTOMER)])
    assert both.startswith("Subscription s: ")
    assert "Customers: " in both


def test_the_contact_of_a_connection_gets_what_is_for_the_contact_alone() -> None:
    on = replace(OFFERGRID, contact=SALES)
    assert why(to(SALES), connection=on) == (
        f"The contact of {on.id} gets commission overdue and escalated alone."
    )
    assert NOT_KNOWN_THEN in why(to(SALES), connection=on, kinds=[Kind.ESCALATED])


def test_the_topic_and_the_bus_say_what_is_not_for_them() -> None:
    topic, bus = (WantedNotices(channel=one) for one in (Channel.SNS, Channel.EVENT_BUS))
    assert why(topic) == "It is still to be published."
    assert "no event bus" in why(bus)
    assert why(topic, kinds=[Kind.ESCALATED]) == "It is for the connection's contact alone."


def test_an_order_whose_connection_was_removed_is_explained() -> None:
    assert "No subscription has this recipient" in why(to(SALES), connection=None)
