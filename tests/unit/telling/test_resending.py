"""A person has a mail sent again: a new notice that says of which it is a copy, and by whom."""

from dataclasses import replace
from uuid import uuid4

import pytest

from milepost.notices import Audience, Channel, Notice, NoticeId, State
from milepost.order import Kind
from milepost.recipients import Choice
from milepost.report import Status
from milepost.resending import CannotResend, resend
from tests.builders import KEY, NOON, announcement, minute, notice, report, tracked
from tests.fakes import MemoryNotices, MemoryOrders, MemoryOutbox

SAID = announcement(Kind.ACCEPTED)
ONE = notice(language="de", subscription="sales", audience=Audience.TEAM)


class Desk:
    def __init__(self, *notices: Notice) -> None:
        self.log, self.orders, self.emails = MemoryNotices(), MemoryOrders(), MemoryOutbox()
        self.orders.kept[KEY] = tracked(report(Status.ACCEPTED), announced=(SAID,))
        for one in notices:
            self.log.enter(Choice(notice=one), at=NOON)
            self.log.mark_sent(one, message_id="m-1", at=NOON)

    def resend(
        self,
        one: Notice = ONE,
        *,
        to: str | None = None,
        by: str = "mara",
        key: str | None = None,
    ) -> Notice:
        return resend(
            NoticeId.parse(one.id),
            to=to,
            by=by,
            key=key or uuid4().hex,
            log=self.log,
            orders=self.orders,
            emails=self.emails,
            now=minute(5),
        )


@pytest.fixture
def desk() -> Desk:
    return Desk(ONE)


def test_a_mail_sent_again_is_a_copy_to_the_same_address(desk: Desk) -> None:
    again = desk.resend()
    assert again == replace(ONE, copy=1)
    assert [one for one, _ in desk.emails.puts] == [again]
    assert desk.log.state_of(again) is State.QUEUED
    assert desk.log.state_of(ONE) is State.SENT


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
    with pytest.raises(CannotResend, match=r"is not an email address\. "):
        desk.resend(to=to)
    assert desk.emails.puts == []


@pytest.mark.parametrize("to", ["LENA@Müller.example", "lena@xn--mller-kva.example "])
def test_another_spelling_of_its_own_address_is_no_other_address(to: str) -> None:
    first = notice(recipient="lena@müller.example", subscription="sub-1")
    again = Desk(first).resend(first, to=to)
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
