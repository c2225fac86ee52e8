"""Notices over the limit of an hour, which wait for its end and are sent as one digest."""

from dataclasses import replace
from datetime import time

import pytest

from milepost.notifications.claims import Batch
from milepost.notifications.notice import Channel
from milepost.notifications.subscription import Mode, QuietHours, Subscription
from milepost.orders.details import Details
from milepost.orders.order import Kind
from tests.builders import OFFERGRID, minute
from tests.unit.notifications.dispatch_desk import (
    BY_CALL,
    BY_MAIL,
    CAREFUL,
    OPS,
    SALES,
    Desk,
    numbered,
)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_over_the_limit_of_the_hour_the_rest_comes_as_one_digest_at_its_end(desk: Desk) -> None:
    for sequence in range(1, 6):
        desk.tell(BY_MAIL, of=numbered(sequence), now=minute(sequence), connection=CAREFUL)
    assert len(desk.emails.puts) == 2
    assert desk.held_until() == [(minute(60), SALES)] * 3
    assert len(desk.holds.held(Batch.of(desk.emails.puts[0][0], due_at=minute(60)))) == 3


def test_the_limit_is_each_recipients_own_and_new_each_hour(desk: Desk) -> None:
    other = replace(BY_MAIL, id="ops", recipient=OPS)
    for sequence in range(1, 4):
        desk.tell(BY_MAIL, other, of=numbered(sequence), connection=CAREFUL)
    desk.tell(BY_MAIL, of=numbered(4), now=minute(60), connection=CAREFUL)
    assert sorted(desk.emails.recipients) == [OPS, OPS, SALES, SALES, SALES]
    assert sorted(desk.held_until()) == [(minute(60), OPS), (minute(60), SALES)]


def test_a_storm_to_a_customer_who_has_no_subscription_waits_for_the_end_of_the_hour(
    desk: Desk,
) -> None:
    telling = replace(CAREFUL, customer_notices=frozenset({Kind.ACCEPTED}))
    quiet = QuietHours(start=time(12), end=time(15))
    another = replace(BY_MAIL, quiet_hours=quiet, kinds=frozenset({Kind.REJECTED}))
    for sequence in range(1, 6):
        of = replace(numbered(sequence), details=Details(customer={"email": OPS}))
        desk.tell(another, of=of, connection=telling)
    assert desk.emails.recipients == [OPS, OPS]
    assert desk.held_until() == [(minute(60), OPS)] * 3


def test_a_storm_waits_for_the_end_of_the_recipients_own_quiet_hours_alone(desk: Desk) -> None:
    quiet = QuietHours(start=time(14), end=time(16))
    resting = replace(BY_MAIL, id="ops", recipient=OPS, quiet_hours=quiet)
    for sequence in range(1, 4):
        desk.tell(BY_MAIL, resting, of=numbered(sequence), now=minute(30), connection=CAREFUL)
    assert sorted(desk.held_until()) == [(minute(60), SALES), (minute(180), OPS)]


@pytest.mark.parametrize(("zone", "ends"), [("Asia/Kolkata", 30), ("Asia/Kathmandu", 15)])
def test_the_hour_of_a_storm_is_that_of_the_recipients_clock(
    zone: str, ends: int, desk: Desk
) -> None:
    away = replace(BY_MAIL, time_zone=zone)
    for sequence in range(1, 4):
        desk.tell(away, of=numbered(sequence), connection=CAREFUL)
    assert desk.held_until() == [(minute(ends), SALES)]


def test_the_hour_of_a_storm_to_a_customer_is_that_of_the_connections_clock(desk: Desk) -> None:
    kinds = frozenset({Kind.ACCEPTED})
    telling = replace(CAREFUL, customer_notices=kinds, time_zone="Asia/Kolkata")
    for sequence in range(1, 4):
        of = replace(numbered(sequence), details=Details(customer={"email": OPS}))
        desk.tell(of=of, connection=telling)
    assert desk.held_until() == [(minute(30), OPS)]


@pytest.mark.parametrize(
    "spared",
    [BY_CALL, replace(BY_MAIL, mode=Mode.HOURLY), replace(BY_MAIL, ended="unsubscribed")],
    ids=["endpoint", "digest", "ended"],
)
def test_what_is_no_mail_of_this_hour_does_not_count_against_its_limit(
    desk: Desk, spared: Subscription
) -> None:
    for sequence in range(1, 5):
        desk.tell(spared, of=numbered(sequence), connection=CAREFUL)
    assert desk.holds.counts == {}


def test_one_who_was_told_at_once_is_not_held_back_by_a_second_delivery(desk: Desk) -> None:
    strict = replace(OFFERGRID, notices_per_hour=1)
    desk.tell(BY_MAIL, connection=strict)
    desk.tell(BY_MAIL, connection=strict)
    assert desk.emails.recipients == [SALES, SALES]
    assert desk.held_until() == []


def test_a_storm_that_ends_in_quiet_hours_waits_for_their_end(desk: Desk) -> None:
    siesta = QuietHours(start=time(12, 30), end=time(15), passing=frozenset({"rejected"}))
    subscriber = replace(BY_MAIL, time_zone="UTC", quiet_hours=siesta)
    kinds = (Kind.ACCEPTED, Kind.ACCEPTED, Kind.ACCEPTED, Kind.REJECTED)
    for sequence, kind in enumerate(kinds, start=1):
        desk.tell(subscriber, of=numbered(sequence, kind), connection=CAREFUL)
    assert len(desk.emails.puts) == 2
    assert desk.held_until() == [(minute(180), SALES), (minute(60), SALES)]


CHAT = Subscription(id="chat", recipient="hooks.slack.com/0a1b2c3d4e5f", channel=Channel.SLACK)


def test_a_storm_for_a_chat_becomes_one_message_at_the_end_of_the_hour(desk: Desk) -> None:
    for sequence in range(1, 5):
        desk.tell(CHAT, of=numbered(sequence), connection=CAREFUL)
    assert desk.endpoints.recipients == [CHAT.recipient] * 2
    assert desk.held_until() == [(minute(60), CHAT.recipient)] * 2


def test_a_chat_waits_for_the_end_of_its_quiet_hours(desk: Desk) -> None:
    desk.tell(replace(CHAT, quiet_hours=QuietHours(start=time(7), end=time(15))))
    assert desk.endpoints.recipients == []
    assert desk.held_until() == [(minute(120), CHAT.recipient)]
