"""A person has a mail sent again: a new notice that says of which it is a copy, and by whom."""

from dataclasses import replace
from typing import Any

import pytest

from milepost.common.idempotency import KeyReused
from milepost.common.status import Status
from milepost.notifications.notice import Audience, Channel, State
from milepost.notifications.recipients import Choice
from milepost.notifications.resend import CannotResend, NeedsForce
from milepost.notifications.subscription import Subscription
from tests.builders import KEY, NOON, minute, notice
from tests.unit.notifications.mail import fake_mail_sending
from tests.unit.notifications.resend_desk import ONE, SAID, SALES, Desk, keep


@pytest.fixture
def desk() -> Desk:
    return Desk(ONE)


def test_a_mail_sent_again_is_a_copy_to_the_same_address(desk: Desk) -> None:
    again = desk.resend()
    assert again == replace(ONE, copy=1)
    assert [one for one, _ in desk.emails.puts] == [again]
    assert desk.log.states[again.id] is State.QUEUED
    assert desk.log.states[ONE.id] is State.SENT


def test_the_log_says_of_which_mail_it_is_a_copy_and_who_asked(desk: Desk) -> None:
    item = desk.log.items[desk.resend(by="mara@example.org").id]
    assert (item["resend_of"], item["requested_by"]) == (ONE.id, "mara@example.org")


def test_each_copy_has_a_number_of_its_own(desk: Desk) -> None:
    copies = [desk.resend() for _ in range(3)]
    assert [one.copy for one in copies] == [1, 2, 3]
    assert len({one.id for one in copies}) == 3


def test_a_request_that_is_repeated_is_one_copy(desk: Desk) -> None:
    first = desk.resend(key="k1")
    desk.emails.puts.clear()  # As if it had broken off before the queue.
    assert desk.resend(key="k1") == first
    assert desk.emails.recipients == [first.recipient]
    desk.log.mark_sent(first, message_id="m-2", at=minute(6))
    assert desk.resend(key="k1") == first
    assert desk.emails.recipients == [first.recipient]
    assert desk.resend(key="k2").copy == 2


def test_a_copy_of_a_copy_is_a_further_copy(desk: Desk) -> None:
    first = desk.resend()
    second = desk.resend(first)
    assert second.copy == 2
    assert desk.log.items[second.id]["resend_of"] == first.id


def test_a_mail_can_go_to_another_address(desk: Desk) -> None:
    again = desk.resend(to="lena@example.org")
    assert (again.recipient, again.copy) == ("lena@example.org", 1)
    assert again.language == "de"
    assert desk.emails.recipients == ["lena@example.org"]


@pytest.mark.parametrize(
    "to", ["lena", "a@b.de, c@d.de", "a@b.de\r\nBcc: c@d.de", "jürgen@b.de", "lena@b\u200b.de"]
)
def test_an_address_that_cannot_be_right_is_refused_with_its_reason(desk: Desk, to: str) -> None:
    with pytest.raises(CannotResend, match=r"is not an email address\. .*[^.]$"):
        desk.resend(to=to)
    assert desk.emails.puts == []


@pytest.mark.parametrize("to", ["LENA@Müller.example", "lena@xn--mller-kva.example "])
def test_another_spelling_of_its_own_address_is_no_other_address(to: str) -> None:
    first = notice(recipient="lena@müller.example", subscription="sub-1")
    desk = Desk(first)
    desk.subscriptions.kept["sub-1"] = Subscription(id="sub-1", recipient=first.recipient)
    again = desk.resend(first, to=to)
    assert (again.recipient, again.subscription) == (first.recipient, "sub-1")


def test_a_customer_without_an_address_gets_it_where_a_person_says() -> None:
    skipped = notice(recipient="", audience=Audience.CUSTOMER)
    desk = Desk()
    desk.log.enter(Choice(notice=skipped, skipped="no email address"), at=NOON)
    with pytest.raises(CannotResend, match="there is no address"):
        desk.resend(skipped)
    again = desk.resend(skipped, to="lena@example.org")
    assert (again.recipient, again.audience) == ("lena@example.org", Audience.CUSTOMER)


def test_a_mail_that_is_not_in_the_log_cannot_be_sent_again() -> None:
    with pytest.raises(CannotResend, match="milepost notices list"):
        Desk().resend()


@pytest.mark.parametrize("how", ["no item", "announcements gone"])
def test_a_mail_of_an_erased_order_cannot_be_sent_again(desk: Desk, how: str) -> None:
    known = desk.orders.kept.pop(KEY)
    if how == "announcements gone":
        desk.orders.kept[KEY] = replace(known, announced=(), erased_at=NOON)
    with pytest.raises(CannotResend, match="it was erased"):
        desk.resend()
    assert desk.emails.puts == []


@pytest.mark.parametrize("channel", [Channel.SNS, Channel.HTTPS])
def test_only_mails_are_sent_again(channel: Channel) -> None:
    one = notice(channel=channel, recipient="https://crm.example/hooks")
    with pytest.raises(CannotResend, match=f"a notice by {channel}"):
        Desk(one).resend(one)


def test_a_copy_that_another_person_entered_meanwhile_is_theirs(desk: Desk) -> None:
    theirs = replace(ONE, copy=1)
    desk.log.enter(Choice(notice=theirs, requested_by="jo"), at=minute(5))
    ours = desk.resend(by="mara")
    assert ours.copy == 2
    assert desk.log.items[theirs.id]["requested_by"] == "jo"


@pytest.mark.parametrize(
    "other",
    [{"to": "lena@example.org"}, {"force": True}, {"to": "lena@example.org", "force": True}],
)
def test_a_key_that_comes_again_with_other_contents_sends_nothing(
    other: dict[str, Any], desk: Desk
) -> None:
    desk.resend(key="k1")
    with pytest.raises(KeyReused, match="use a new one"):
        desk.resend(key="k1", **other)
    assert len(desk.emails.puts) == 1


def test_a_key_that_comes_again_for_another_notice_sends_nothing(desk: Desk) -> None:
    other = notice(recipient="ops@example.org")
    desk.log.enter(Choice(notice=other), at=NOON)
    desk.resend(key="k1")
    with pytest.raises(KeyReused):
        desk.resend(other, key="k1")


def test_a_request_that_is_repeated_is_answered_as_before_though_the_order_has_moved_on(
    desk: Desk,
) -> None:
    first = desk.resend(key="k1")
    keep(desk, Status.CANCELLED, announced=(SAID,))
    assert desk.resend(key="k1") == first
    with pytest.raises(NeedsForce):
        desk.resend(key="k2")


def test_a_forced_mail_is_sent_and_one_that_is_not_is_held_back(desk: Desk) -> None:
    sending = fake_mail_sending.Desk(log=fake_mail_sending.DyingNotices(items=desk.log.items))
    sending.orders, sending.subscriptions = desk.orders, desk.subscriptions
    sending.suppressions.reasons[ONE.recipient, Audience.TEAM] = "complained on 2026-03-01"
    plain, forced = desk.resend(), desk.resend(force=True)
    assert sending.sender.send(plain, now=minute(6)) is State.SUPPRESSED
    assert sending.sender.send(forced, now=minute(6)) is State.SENT


def test_a_customers_copy_beside_a_subscriber_keeps_the_customers_name() -> None:
    theirs = notice(audience=Audience.CUSTOMER, apart=True)
    desk = Desk(theirs)
    again = desk.resend(theirs)
    assert (again.apart, again.id) == (True, f"{theirs.id}/1")


def test_a_message_to_a_chat_is_sent_to_the_same_chat_again() -> None:
    chat = replace(
        SALES, id="chat", channel=Channel.SLACK, recipient="hooks.slack.com/0a1b2c3d4e5f"
    )
    one = replace(ONE, channel=chat.channel, recipient=chat.recipient, subscription=chat.id)
    desk = Desk(one)
    desk.subscriptions.kept[chat.id] = chat
    again = desk.resend(one)
    assert (again.copy, again.recipient) == (1, chat.recipient)
    assert desk.endpoints.recipients == [chat.recipient]
    assert desk.emails.recipients == []
    with pytest.raises(CannotResend, match="only be sent to the same chat"):
        desk.resend(one, to="other@example.org")
