"""A mail for a notice goes out effectively once, whatever happens to its sender."""

from dataclasses import replace
from datetime import timedelta

import pytest

from milepost.common.status import Status
from milepost.notifications.claims import CLAIM, AlreadyClaimed
from milepost.notifications.mail.sender import NEWS_WITHIN, OutcomeUnknown, Refused, TryAgainLater
from milepost.notifications.notice import Audience, State
from milepost.notifications.subscription import Subscription
from milepost.orders.order import Kind
from tests.builders import KEY, NOON, OFFERGRID, minute, notice
from tests.fakes.connections import MemoryConnections
from tests.unit.notifications.mail.fake_mail_sending import Desk, Killed, raising

ONE = notice()
CLAIM_ENDED = NOON + CLAIM + timedelta(seconds=1)


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.keep_order()
    made.queue(ONE)
    return made


def test_a_queued_notice_is_sent_and_the_log_says_as_which_mail(desk: Desk) -> None:
    assert desk.sender.send(ONE, now=NOON) is State.SENT
    ((mail, notices),) = desk.mailer.sent
    assert (mail.to, mail.subject) == (ONE.recipient, "accepted accepted")
    assert mail.text == "https://milepost.example.org/u/1"
    assert notices == (ONE,)
    assert desk.entry(ONE) == ("sent", "ses-1")


def test_a_mail_is_written_from_the_order_as_it_is_when_it_goes_out(desk: Desk) -> None:
    desk.keep_order(Status.CANCELLED)
    desk.sender.send(ONE, now=NOON)
    assert desk.mailer.sent[0][0].subject == "accepted cancelled"


def test_a_copy_of_the_message_sends_nothing_more(desk: Desk) -> None:
    for _ in range(5):
        assert desk.sender.send(ONE, now=NOON) is State.SENT
    assert len(desk.mailer.sent) == 1


def test_what_was_never_entered_in_the_log_is_not_sent(desk: Desk) -> None:
    desk.sender.send(notice(recipient="ops@example.org"), now=NOON)
    assert desk.mailer.sent == []


def test_while_one_sends_another_waits(desk: Desk) -> None:
    meanwhile = desk.sender

    def second() -> None:
        with pytest.raises(AlreadyClaimed):
            meanwhile.send(ONE, now=NOON)

    desk.mailer.before = second
    desk.sender.send(ONE, now=NOON)
    assert len(desk.mailer.sent) == 1


def test_a_refusal_that_comes_after_the_claim_ended_overwrites_nothing(desk: Desk) -> None:
    meanwhile = desk.sender

    def second() -> None:
        assert meanwhile.send(ONE, now=CLAIM_ENDED) is State.SENT
        raise Refused("MessageRejected")

    desk.mailer.before = second
    desk.sender.send(ONE, now=NOON)
    assert desk.entry(ONE) == ("sent", "ses-1")


def test_a_slow_sender_does_not_take_the_claim_of_the_one_after_it(desk: Desk) -> None:
    claims: list[str | None] = []

    def second() -> None:
        until = CLAIM_ENDED + CLAIM
        claims.append(desk.log.claim(ONE, at=CLAIM_ENDED, until=until))
        raise TryAgainLater("Throttling")

    desk.mailer.before = second
    with pytest.raises(TryAgainLater):
        desk.sender.send(ONE, now=NOON)
    (holder,) = claims
    with pytest.raises(AlreadyClaimed):
        desk.sender.send(ONE, now=CLAIM_ENDED)
    assert desk.log.mark_sent(ONE, message_id="the holder's", at=CLAIM_ENDED, claim=holder)


@pytest.mark.parametrize("has_arrived", [True, False])
def test_a_mail_whose_outcome_is_unknown_goes_out_again_only_without_an_event_of_it(
    has_arrived: bool, desk: Desk
) -> None:
    desk.mailer.after = raising(OutcomeUnknown("ReadTimeoutError"))
    with pytest.raises(OutcomeUnknown):
        desk.sender.send(ONE, now=NOON)
    with pytest.raises(AlreadyClaimed):
        desk.sender.send(ONE, now=CLAIM_ENDED)
    if has_arrived:
        desk.log.items[ONE.id]["state"] = str(State.DELIVERED)
    desk.sender.send(ONE, now=NOON + NEWS_WITHIN + timedelta(seconds=1))
    assert len(desk.mailer.sent) == (1 if has_arrived else 2)


def test_killed_before_the_mail_service_took_it_one_mail_goes_out(desk: Desk) -> None:
    desk.mailer.before = raising(Killed())
    with pytest.raises(Killed):
        desk.sender.send(ONE, now=NOON)
    with pytest.raises(AlreadyClaimed):
        desk.sender.send(ONE, now=NOON + CLAIM)
    assert desk.sender.send(ONE, now=CLAIM_ENDED) is State.SENT
    assert len(desk.mailer.sent) == 1


def test_killed_after_the_mail_service_took_it_two_mails_go_out_at_most(desk: Desk) -> None:
    desk.mailer.after = raising(Killed())
    with pytest.raises(Killed):
        desk.sender.send(ONE, now=NOON)
    for attempt in range(1, 4):
        assert desk.sender.send(ONE, now=NOON + attempt * (CLAIM_ENDED - NOON)) is State.SENT
    assert len(desk.mailer.sent) == 2


def test_a_busy_mail_service_leaves_the_notice_free_for_the_next_try(desk: Desk) -> None:
    desk.mailer.before = raising(TryAgainLater("Throttling"))
    with pytest.raises(TryAgainLater):
        desk.sender.send(ONE, now=NOON)
    assert desk.log.waiting([ONE]) == [ONE]
    assert desk.sender.send(ONE, now=NOON) is State.SENT
    assert len(desk.mailer.sent) == 1


def test_what_the_mail_service_refuses_has_failed_and_says_why(desk: Desk) -> None:
    desk.mailer.before = raising(Refused("the sender is not verified"))
    assert desk.sender.send(ONE, now=NOON) is State.FAILED
    assert desk.entry(ONE) == ("failed", "the sender is not verified")
    desk.sender.send(ONE, now=minute(5))
    assert desk.mailer.sent == []


def test_to_a_suppressed_address_nothing_is_sent_and_the_log_says_why(desk: Desk) -> None:
    desk.suppressions.reasons[ONE.recipient, Audience.TEAM] = "hard bounce on 2026-03-01"
    assert desk.sender.send(ONE, now=NOON) is State.SUPPRESSED
    assert desk.entry(ONE) == ("suppressed", "hard bounce on 2026-03-01")
    assert desk.mailer.sent == []


def test_what_is_suppressed_for_customers_still_goes_to_the_team(desk: Desk) -> None:
    desk.suppressions.reasons[ONE.recipient, Audience.CUSTOMER] = "unsubscribed"
    assert desk.sender.send(ONE, now=NOON) is State.SENT


def test_of_an_erased_order_nothing_is_sent(desk: Desk) -> None:
    desk.orders.kept[KEY] = replace(desk.orders.kept[KEY], erased_at=NOON)
    assert desk.sender.send(ONE, now=NOON) is State.SKIPPED
    assert desk.entry(ONE) == ("skipped", "the order was erased")
    assert desk.mailer.sent == []


def test_an_order_that_is_not_there_is_not_said_to_be_erased(desk: Desk) -> None:
    del desk.orders.kept[KEY]
    assert desk.sender.send(ONE, now=NOON) is State.SKIPPED
    assert desk.entry(ONE) == ("skipped", "the order is no longer stored")


def test_while_its_order_cannot_be_read_a_notice_waits_and_nothing_is_concluded(
    desk: Desk,
) -> None:
    desk.orders.unavailable = True
    with pytest.raises(TryAgainLater, match="throttled"):
        desk.sender.send(ONE, now=NOON)
    desk.orders.unavailable = False
    assert desk.sender.send(ONE, now=NOON) is State.SENT


def test_of_an_order_that_no_version_can_read_the_log_says_so(desk: Desk) -> None:
    del desk.orders.kept[KEY]
    desk.orders.unreadable[KEY] = "KeyError"
    assert desk.sender.send(ONE, now=NOON) is State.FAILED
    assert desk.entry(ONE) == ("failed", "its order can't be read: KeyError")


def test_a_notice_whose_connection_was_removed_is_closed_with_that_reason(desk: Desk) -> None:
    desk.connections.kept.clear()
    assert desk.sender.send(ONE, now=NOON) is State.FAILED
    assert desk.entry(ONE) == ("failed", "its connection is not applied")


def test_a_subscriber_is_written_to_in_the_zone_and_language_that_they_have_now(
    desk: Desk,
) -> None:
    desk.subscribe(
        Subscription(id="s", recipient=ONE.recipient, language="da", time_zone="Asia/Tokyo")
    )
    mine = replace(ONE, subscription="s", language="en")
    desk.sender.send(mine, now=NOON)
    assert [mail.html for mail, _ in desk.mailer.sent] == ["da Asia/Tokyo"]


def test_a_customer_is_written_to_in_the_zone_of_the_connection(desk: Desk) -> None:
    telling = replace(OFFERGRID, customer_notices=frozenset({Kind.ACCEPTED}))
    desk.connections = MemoryConnections.of(telling)
    desk.sender.send(replace(ONE, audience=Audience.CUSTOMER, language="de"), now=NOON)
    assert [mail.html for mail, _ in desk.mailer.sent] == ["de Australia/Melbourne"]


def test_an_unforeseen_error_keeps_the_claim_until_it_ends(desk: Desk) -> None:
    desk.mailer.before = raising(ConnectionError("reset by peer"))
    with pytest.raises(ConnectionError):
        desk.sender.send(ONE, now=NOON)
    with pytest.raises(AlreadyClaimed):
        desk.sender.send(ONE, now=NOON)
    assert desk.sender.send(ONE, now=CLAIM_ENDED) is State.SENT
