"""Who is told of an announcement, who is not and why."""

from dataclasses import replace
from datetime import datetime, time
from itertools import permutations
from typing import Any

import pytest

from milepost.connections.connection import Connection
from milepost.notifications.notice import FOR_CONTACT_ALONE, Audience, Channel, NoticeId
from milepost.notifications.recipients import DATE_IS_SAID, SAID_BY_NEXT, Choice, choose
from milepost.notifications.subscription import Mode, QuietHours, Subscription
from milepost.orders.announcements import Announced
from milepost.orders.order import Kind
from tests.builders import OFFERGRID, RETAIL, announced, minute

SALES, CRM = "sales@example.org", "https://crm.example/hooks"
CUSTOMER = "charlotte.nguyen@example.com"
ENDED = "unsubscribed on 2026-03-01"
TELLING = replace(OFFERGRID, customer_notices=frozenset({Kind.ACCEPTED}), language="de")


def subscription(name: str = "s1", recipient: str = SALES, **fields: Any) -> Subscription:
    return Subscription(id=name, recipient=recipient, **fields)


def chosen(
    *subscriptions: Subscription, connection: Connection = OFFERGRID, of: Announced | None = None
) -> list[Choice]:
    return choose(of or announced(), subscriptions, connection, now=minute(0))


def team(*subscriptions: Subscription) -> list[Choice]:
    """What is chosen for the team alone."""
    every = chosen(*subscriptions)
    return [one for one in every if one.notice.audience is Audience.TEAM]


def customer(connection: Connection = TELLING, of: Announced | None = None) -> Choice | None:
    every = chosen(connection=connection, of=of)
    return next((one for one in every if one.notice.audience is Audience.CUSTOMER), None)


def test_each_who_wants_to_know_is_told_once() -> None:
    choices = team(subscription("a"), subscription("b", "ops@example.org"))
    assert [one.notice.recipient for one in choices] == [SALES, "ops@example.org"]
    assert all(one.skipped is None and one.due_at is None for one in choices)
    assert len({one.notice.id for one in choices}) == 2


def test_who_does_not_want_it_is_not_even_logged() -> None:
    assert team(subscription(kinds=frozenset({Kind.REJECTED}))) == []


def test_two_subscriptions_of_one_recipient_give_one_notice() -> None:
    (one,) = team(subscription("b", language="de"), subscription("a"))
    assert (one.notice.subscription, one.notice.language) == ("a", "en")


@pytest.mark.parametrize(
    "written", ["Sales@Example.org", " sales@example.org ", "sales@exam\u00adple.org"]
)
def test_an_address_is_the_same_however_it_is_written(written: str) -> None:
    assert len(team(subscription("a"), subscription("b", written))) == 1


def test_two_endpoints_that_differ_in_the_case_of_a_path_are_two() -> None:
    first = subscription("a", CRM, channel=Channel.HTTPS)
    assert len(team(first, replace(first, id="b", recipient="https://crm.example/Hooks"))) == 2


def test_an_endpoint_and_an_address_are_told_apart() -> None:
    choices = team(subscription("a"), subscription("b", CRM, channel=Channel.HTTPS))
    assert [one.notice.channel for one in choices] == [Channel.EMAIL, Channel.HTTPS]


def test_one_that_has_ended_is_skipped_and_says_why() -> None:
    (one,) = team(subscription(ended=ENDED))
    assert one.skipped == ENDED


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_one_that_lives_comes_before_one_that_ended_and_sooner_before_later(
    order: tuple[int, ...],
) -> None:
    three = [
        subscription("a", ended=ENDED),
        subscription("b", mode=Mode.DAILY),
        subscription("c", mode=Mode.HOURLY),
    ]
    (one,) = team(*(three[place] for place in order))
    assert (one.notice.subscription, one.skipped, one.due_at) == ("c", None, minute(60))


def test_one_in_quiet_hours_is_due_at_their_end() -> None:
    (one,) = team(subscription(quiet_hours=QuietHours(start=time(12), end=time(14))))
    assert one.due_at == minute(60)


@pytest.mark.parametrize("service", ["internet", "tv"])
def test_a_subscription_to_some_service_types_is_told_of_those_alone(service: str) -> None:
    for_internet = subscription(service_types=frozenset({"internet"}))
    choices = choose(announced(service_type=service), [for_internet], OFFERGRID, now=minute(0))
    assert bool([one for one in choices if one.notice.subscription]) is (service == "internet")


@pytest.mark.parametrize(("connection", "told"), [(OFFERGRID, True), (RETAIL, False)])
def test_a_subscription_to_one_connection_is_told_of_that_alone(
    connection: Connection, told: bool
) -> None:
    assert bool(team(subscription(connections=frozenset({connection.id})))) is told


def test_a_customer_is_told_in_the_language_of_the_connection_when_it_says_so() -> None:
    one = customer(of=announced(customer={"email": CUSTOMER}))
    assert one is not None
    assert (one.notice.recipient, one.skipped, one.due_at) == (CUSTOMER, None, None)
    assert (one.notice.language, one.notice.subscription) == ("de", None)


@pytest.mark.parametrize(
    ("connection", "details", "why"),
    [
        (
            OFFERGRID,
            {"customer": {"email": CUSTOMER}},
            f"customer notices of kind accepted are off for {OFFERGRID.id}",
        ),
        (TELLING, {}, "no email address"),
        (TELLING, {"customer": {"name": "Charlotte"}}, "no email address"),
        (TELLING, {"customer": {"email": "charlotte@"}}, "the email address can't be right"),
        (TELLING, {"customer": {"email": "a@b.de, c@d.de"}}, "the email address can't be right"),
        (TELLING, {"customer": {"email": "a@b.de\r\nBcc: c@d.de"}}, "the email address can't be "
         "right"),
        (TELLING, {"customer": {"email": "jürgen@müller.de"}}, "the email address can't be right"),
        (TELLING, {"customer": {"email": "mailto:a@b.de"}}, "the email address can't be right"),
        (TELLING, {"customer": {"email": "a@b.de."}}, "the email address can't be right"),
    ],
)  # fmt: skip
def test_a_customer_who_is_not_told_is_logged_with_why(
    connection: Connection, details: dict[str, Any], why: str
) -> None:
    one = customer(connection, announced(**details))
    assert one is not None
    assert one.skipped == why


@pytest.mark.parametrize("kind", [Kind.ATTENTION, Kind.FAILED, Kind.OVERDUE])
def test_of_what_is_for_the_team_the_customer_is_not_even_a_candidate(kind: Kind) -> None:
    every = replace(OFFERGRID, customer_notices=frozenset(Kind))
    assert customer(every, announced(kind, customer={"email": CUSTOMER})) is None


@pytest.mark.parametrize("written", [CUSTOMER, f" {CUSTOMER.title()}"])
def test_a_customer_who_subscribes_gets_both_notices_under_ids_of_their_own(written: str) -> None:
    order = announced(customer={"email": CUSTOMER})
    team, own = chosen(subscription(recipient=written), connection=TELLING, of=order)
    assert (team.notice.audience, team.skipped) == (Audience.TEAM, None)
    assert (own.notice.audience, own.skipped) == (Audience.CUSTOMER, None)
    assert own.notice.id == f"{team.notice.id}-customer"
    assert NoticeId.parse(own.notice.id).recipient_hash == own.notice.recipient_hash
    assert NoticeId.parse(f" {own.notice.id}\n") == NoticeId.parse(own.notice.id)


def test_a_customer_who_subscribes_is_told_why_there_is_no_mail_for_the_customer() -> None:
    order = announced(customer={"email": CUSTOMER})
    team, own = chosen(subscription(recipient=CUSTOMER), of=order)
    assert (team.notice.audience, team.skipped) == (Audience.TEAM, None)
    assert own.skipped == f"customer notices of kind accepted are off for {OFFERGRID.id}"


def test_a_subscription_that_has_ended_takes_no_notice_from_the_customer() -> None:
    order = announced(customer={"email": CUSTOMER})
    team, own = chosen(subscription(recipient=CUSTOMER, ended=ENDED), connection=TELLING, of=order)
    assert (team.skipped, own.skipped) == (ENDED, None)


def test_the_id_of_a_customer_who_does_not_subscribe_is_as_it_always_was() -> None:
    one = customer(of=announced(customer={"email": CUSTOMER}))
    assert one is not None
    assert one.notice.id == replace(one.notice, audience=Audience.TEAM).id


@pytest.mark.parametrize("kind", sorted(FOR_CONTACT_ALONE))
def test_some_kinds_are_for_the_connections_contact_alone(kind: Kind) -> None:
    connection = replace(
        OFFERGRID,
        contact="lead@example.org",
        language="da",
        customer_notices=frozenset(Kind),
    )
    everybody = subscription(kinds=frozenset(Kind))
    (one,) = chosen(everybody, connection=connection, of=announced(kind))
    assert (one.notice.recipient, one.notice.language) == ("lead@example.org", "da")
    assert (one.notice.channel, one.notice.subscription) == (Channel.EMAIL, None)


@pytest.mark.parametrize("kind", sorted(FOR_CONTACT_ALONE))
def test_without_a_contact_nobody_is_told_of_what_is_for_the_contact(kind: Kind) -> None:
    assert chosen(subscription(kinds=frozenset(Kind)), of=announced(kind)) == []


def test_the_contact_is_told_of_nothing_else() -> None:
    connection = replace(OFFERGRID, contact="lead@example.org")
    for kind in set(Kind) - FOR_CONTACT_ALONE:
        told = chosen(connection=connection, of=announced(kind))
        assert "lead@example.org" not in {one.notice.recipient for one in told}


@pytest.mark.parametrize("kind", [Kind.DELAYED, Kind.FOLLOW_UP])
def test_what_is_for_customers_alone_is_sent_to_no_subscriber(kind: Kind) -> None:
    connection = replace(OFFERGRID, customer_notices=frozenset({kind}))
    everybody = subscription(kinds=frozenset(Kind))
    of = announced(kind, customer={"email": CUSTOMER})
    (one,) = chosen(everybody, connection=connection, of=of)
    assert (one.notice.recipient, one.skipped) == (CUSTOMER, None)


@pytest.mark.parametrize(
    ("due", "told"),
    [("2026-03-02T10:00:00Z", [SALES, CUSTOMER]), ("2026-03-02T12:00:00Z", [SALES])],
)
def test_a_reminder_to_complete_an_order_is_for_the_team(due: str, told: list[str]) -> None:
    connection = replace(OFFERGRID, customer_notices=frozenset({Kind.REMINDER}))
    said = announced(
        Kind.REMINDER, customer={"email": CUSTOMER}, appointment="2026-03-02T12:00:00Z"
    )
    one = replace(said.announcement, occurred_at=datetime.fromisoformat(due))
    choices = chosen(subscription(), connection=connection, of=replace(said, announcement=one))
    assert [choice.notice.recipient for choice in choices] == told


JOINED = announced(customer={"email": CUSTOMER})
JOINED = replace(JOINED, announcement=replace(JOINED.announcement, joined=True))
"""Accepted by a change that says for when as well."""
BOTH = replace(OFFERGRID, customer_notices=frozenset({Kind.ACCEPTED, Kind.SCHEDULED}))


def test_who_is_sent_the_mail_about_the_date_is_sent_no_other_about_the_acceptance() -> None:
    one, customers = chosen(subscription(), connection=BOTH, of=JOINED)
    assert one.skipped == customers.skipped == SAID_BY_NEXT
    assert one.due_at is None


def test_who_asks_for_acceptances_alone_is_sent_one() -> None:
    (one,) = (
        c
        for c in chosen(subscription(kinds=frozenset({Kind.ACCEPTED})), of=JOINED)
        if c.notice.audience is Audience.TEAM
    )
    assert one.skipped is None
    told = customer(TELLING, of=JOINED)
    assert told is not None
    assert told.skipped is None


def test_an_endpoint_is_told_of_both() -> None:
    one, *_ = chosen(subscription(recipient=CRM, channel=Channel.HTTPS), of=JOINED)
    assert (one.notice.channel, one.skipped) == (Channel.HTTPS, None)


def test_one_that_is_told_of_the_date_tomorrow_is_told_of_the_acceptance_now() -> None:
    now = subscription("now", kinds=frozenset({Kind.ACCEPTED}))
    later = subscription("later", kinds=frozenset({Kind.SCHEDULED}), mode=Mode.DAILY)
    one, *_ = chosen(now, later, of=JOINED)
    assert one.skipped is None


DATED = announced(
    Kind.RESCHEDULED, customer={"email": CUSTOMER}, appointment="2026-03-12T02:00:00Z"
)
DATED = replace(DATED, announcement=replace(DATED.announcement, joined=True))
"""The date that followed ``scheduled`` at once."""
DATES = replace(OFFERGRID, customer_notices=frozenset({Kind.SCHEDULED, Kind.RESCHEDULED}))


def test_who_is_sent_the_mail_that_an_order_is_scheduled_is_sent_no_other_about_its_date() -> None:
    one, customers = chosen(subscription(), connection=DATES, of=DATED)
    assert one.skipped == customers.skipped == DATE_IS_SAID


def test_who_asks_for_moved_dates_alone_is_sent_a_first_one() -> None:
    only = replace(DATES, customer_notices=frozenset({Kind.RESCHEDULED}))
    choices = chosen(subscription(kinds=frozenset({Kind.RESCHEDULED})), connection=only, of=DATED)
    assert [one.skipped for one in choices] == [None, None]


def test_an_endpoint_is_told_of_the_date_that_followed() -> None:
    one, *_ = chosen(subscription(recipient=CRM, channel=Channel.HTTPS), of=DATED)
    assert (one.notice.channel, one.skipped) == (Channel.HTTPS, None)
