"""The delivery log: claims and states, on every engine and in the fake that unit tests use."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.delivery_log_items import notice_key
from milepost.notifications.claims import AlreadyClaimed
from milepost.notifications.dispatch import Entered
from milepost.notifications.notice import Channel, NoticeId, State
from milepost.notifications.recipients import Choice
from tests.builders import minute, notice
from tests.contracts.conftest import Place
from tests.fakes.notifications import MemoryNotices

TABLE = "NoticesTable"
ONE = notice()
Log = NoticesTable | MemoryNotices
MANY = [replace(ONE, copy=copy) for copy in range(130)]


@pytest.fixture
def log(place: Place) -> Log:
    return (
        MemoryNotices() if place.is_memory else NoticesTable(place.client, table_name=place.table)
    )


def item_of(log: Log) -> Mapping[str, Any]:
    item = log.find(NoticeId.parse(ONE.id))
    assert item is not None
    return item


def enter(log: Log, at: float = 0) -> State:
    return log.enter(Choice(notice=ONE), at=minute(at)).state


def claim(log: Log, at: float = 0, until: float = 1) -> str | None:
    return log.claim(ONE, at=minute(at), until=minute(until))


def test_a_notice_enters_as_queued_once(log: Log) -> None:
    assert enter(log, 0) is State.QUEUED
    assert enter(log, 5) is State.QUEUED
    item = item_of(log)
    assert item["queued_at"] == "2026-03-02T12:00:00Z"
    assert item["recipient"] == "sales@example.org"


def test_entering_again_tells_how_it_stands(log: Log) -> None:
    enter(log)
    log.mark_sent(ONE, message_id="m-1", at=minute(1))
    assert enter(log) is State.SENT


def test_a_message_that_went_out_is_noted_until_its_notice_is_settled(log: Log) -> None:
    enter(log)
    assert log.note_message(ONE, message_id="m-1")
    entered = log.enter(Choice(notice=ONE), at=minute(1))
    assert (entered.state, entered.message_id) == (State.QUEUED, "m-1")
    assert log.mark_sent(ONE, message_id="m-1", at=minute(2))
    assert not log.note_message(ONE, message_id="m-2")
    assert log.enter(Choice(notice=ONE), at=minute(3)).message_id == "m-1"


def test_a_notice_that_is_held_is_found_with_when_it_is_due(log: Log) -> None:
    held = Choice(notice=ONE, due_at=minute(30))
    assert log.enter(held, at=minute(0)) == Entered(State.QUEUED, minute(30))
    at_once = Choice(notice=ONE)
    assert log.enter(at_once, at=minute(1)) == Entered(State.QUEUED, minute(30), is_new=False)


def test_a_notice_that_is_skipped_enters_with_its_reason(log: Log) -> None:
    skipped = Choice(notice=ONE, skipped="unsubscribed on 2026-03-01")
    assert log.enter(skipped, at=minute(0)) == Entered(State.SKIPPED)
    assert item_of(log)["reason"] == "unsubscribed on 2026-03-01"
    assert enter(log) is State.SKIPPED


def test_what_is_queued_waits_also_while_it_is_claimed(log: Log) -> None:
    assert log.waiting([ONE]) == []
    enter(log)
    token = claim(log)
    assert log.waiting([ONE]) == [ONE]
    log.mark_sent(ONE, message_id="m-1", at=minute(1), claim=token)
    assert log.waiting([ONE]) == []


@pytest.mark.thorough
def test_a_digest_of_many_is_logged_under_each_but_what_has_moved_on(log: Log) -> None:
    for one in MANY:
        log.enter(Choice(notice=one), at=minute(0))
    log.close(MANY[3], state=State.FAILED, reason="refused", at=minute(1))
    assert log.waiting(MANY) == [*MANY[:3], *MANY[4:]]
    log.mark_all_sent(MANY, message_id="m-1", at=minute(2), digest="a1b2/2026-03-02T12:00Z")
    assert log.waiting(MANY) == []
    entries = [log.find(NoticeId.parse(one.id)) or {} for one in MANY]
    assert {entry.get("message_id") for entry in entries if entry["state"] == "sent"} == {"m-1"}
    assert [entry["id"] for entry in entries if entry["state"] == "failed"] == [MANY[3].id]


def test_a_forced_resend_says_so(log: Log) -> None:
    log.enter(Choice(notice=replace(ONE, forced=True)), at=minute(0))
    assert item_of(log)["forced"] is True


SAID = {
    "id": ONE.id,
    "kind": "accepted",
    "channel": "email",
    "recipient": "sales@example.org",
    "audience": "team",
    "language": "en",
    "occurred_at": "2026-03-02T12:00:00Z",
    "expires_at": int(datetime(2027, 4, 6, 12, 1, tzinfo=UTC).timestamp()),
}


def said_of(choice: Choice, log: Log) -> dict[str, Any]:
    """The whole entry, but for its key."""
    log.enter(choice, at=minute(1))
    entry = log.find(NoticeId.parse(choice.notice.id)) or {}
    keys = ("pk", "sk", "list_shard", "listed_at")
    return {name: value for name, value in entry.items() if name not in keys}


def test_an_entry_says_everything_of_its_notice(log: Log) -> None:
    queued = {**SAID, "state": "queued", "queued_at": "2026-03-02T12:01:00Z"}
    assert said_of(Choice(notice=ONE), log) == queued


def test_an_entry_of_a_notice_that_a_person_requested_says_who_and_of_what(log: Log) -> None:
    one = replace(ONE, copy=2, subscription="sales", forced=True)
    choice = Choice(
        notice=one,
        due_at=minute(30),
        resend_of="n-1",
        requested_by="lena",
        requested_with="key-1",
    )
    assert said_of(choice, log) == {
        **SAID,
        "id": one.id,
        "state": "queued",
        "queued_at": "2026-03-02T12:01:00Z",
        "due_at": "2026-03-02T12:30:00Z",
        "subscription": "sales",
        "forced": True,
        "resend_of": "n-1",
        "requested_by": "lena",
        "requested_with": "key-1",
    }


def test_an_entry_for_an_endpoint_that_is_skipped_says_why_and_no_language(log: Log) -> None:
    one = replace(ONE, channel=Channel.HTTPS, recipient="https://crm.example.com/x")
    assert said_of(Choice(notice=one, skipped="ended"), log) == {
        **{name: value for name, value in SAID.items() if name != "language"},
        "id": one.id,
        "channel": "https",
        "recipient": "https://crm.example.com/x",
        "state": "skipped",
        "reason": "ended",
        "skipped_at": "2026-03-02T12:01:00Z",
    }


def test_some_of_a_digest_are_logged_though_one_has_moved_on(log: Log) -> None:
    notices = MANY[:102]
    for one in (*notices[:2], notices[101]):
        log.enter(Choice(notice=one), at=minute(0))
    log.close(notices[0], state=State.FAILED, reason="refused", at=minute(1))
    log.mark_all_sent(
        [*notices[:2], *notices[2:101], notices[101]],
        message_id="m-1",
        at=minute(2),
        digest="a1b2/2026-03-02T12:00Z",
    )
    found = [log.find(NoticeId.parse(one.id)) or {} for one in (*notices[:2], notices[101])]
    assert [one["state"] for one in found] == ["failed", "sent", "sent"]
    assert [one.get("message_id") for one in found] == [None, "m-1", "m-1"]
    assert found[1]["digest"] == "a1b2/2026-03-02T12:00Z"


def test_what_was_never_entered_is_not_found(log: Log) -> None:
    assert log.find(NoticeId.parse(ONE.id)) is None


@pytest.mark.parametrize("sent", [True, False])
def test_what_has_moved_on_is_not_closed_by_one_who_comes_late(sent: bool, log: Log) -> None:
    enter(log)
    if sent:
        log.mark_sent(ONE, message_id="m-1", at=minute(1))
    else:
        log.close(ONE, state=State.SUPPRESSED, reason="complained", at=minute(1))
    before = dict(item_of(log))
    log.close(ONE, state=State.FAILED, reason="refused", at=minute(2))
    assert item_of(log) == before


def test_what_was_never_entered_is_closed_by_nobody(log: Log) -> None:
    log.close(ONE, state=State.FAILED, reason="refused", at=minute(1))
    log.mark_sent(ONE, message_id="m-1", at=minute(1))
    assert log.find(NoticeId.parse(ONE.id)) is None


def test_a_digest_is_logged_under_each_of_its_notices_but_what_has_moved_on(log: Log) -> None:
    three = MANY[:3]
    for one in three:
        log.enter(Choice(notice=one), at=minute(0))
    log.close(three[1], state=State.FAILED, reason="refused", at=minute(1))
    assert log.waiting(three) == [three[0], three[2]]
    log.mark_all_sent(three, message_id="m-1", at=minute(2), digest="a1b2/2026-03-02T12:00Z")
    assert log.waiting(three) == []
    entries = [log.find(NoticeId.parse(one.id)) or {} for one in three]
    assert [(one["state"], one.get("message_id")) for one in entries] == [
        ("sent", "m-1"),
        ("failed", None),
        ("sent", "m-1"),
    ]
    assert entries[1]["reason"] == "refused"


def test_a_notice_is_known_for_400_days(log: Log) -> None:
    enter(log)
    log.mark_sent(ONE, message_id="m-1", at=minute(1), claim=claim(log))
    assert int(item_of(log)["expires_at"]) == int((minute(0) + timedelta(days=400)).timestamp())


@pytest.mark.parametrize("state", [State.FAILED, State.SUPPRESSED])
def test_news_of_a_sent_mail_does_not_take_back_how_it_ended(state: State, log: Log) -> None:
    enter(log)
    log.close(ONE, state=state, reason="mailbox full", at=minute(1))
    log.mark_sent(ONE, message_id="m-1", at=minute(2))
    assert enter(log) is state


def test_a_notice_that_went_out_in_a_digest_says_in_which(log: Log) -> None:
    enter(log)
    log.mark_all_sent([ONE], message_id="m-1", at=minute(1), digest="a1b2/2026-03-02T12:00Z")
    assert item_of(log)["digest"] == "a1b2/2026-03-02T12:00Z"


def test_a_queued_notice_is_claimed_once(log: Log) -> None:
    enter(log)
    assert claim(log, 0)
    with pytest.raises(AlreadyClaimed):
        claim(log, 0.5)


def test_a_claim_ends_by_itself(log: Log) -> None:
    enter(log)
    assert claim(log, 0, until=1)
    assert claim(log, 1.1, until=3)


def test_a_claim_holds_to_its_last_tenth_of_a_second(log: Log) -> None:
    enter(log)
    assert claim(log, 0, until=1.015)
    with pytest.raises(AlreadyClaimed):
        claim(log, 1)


def test_a_claim_that_is_released_is_free(log: Log) -> None:
    enter(log)
    token = claim(log)
    assert token is not None
    assert log.release(ONE, claim=token)
    assert claim(log)


def test_who_has_lost_the_claim_writes_nothing(log: Log) -> None:
    enter(log)
    late = claim(log, 0, until=1)
    holder = claim(log, 1.1, until=3)
    assert late is not None
    assert late != holder
    assert not log.close(ONE, state=State.FAILED, reason="late", at=minute(2), claim=late)
    assert not log.mark_sent(ONE, message_id="late", at=minute(2), claim=late)
    assert not log.release(ONE, claim=late)
    assert not log.keep_claim(ONE, claim=late, until=minute(60))
    with pytest.raises(AlreadyClaimed):
        claim(log, 2, until=4)
    assert log.mark_sent(ONE, message_id="the holder's", at=minute(2), claim=holder)
    assert not log.close(ONE, state=State.FAILED, reason="late", at=minute(3), claim=late)
    item = item_of(log)
    assert (item["state"], item["message_id"]) == ("sent", "the holder's")
    assert not {"claimed_by", "claimed_until", "reason"} & item.keys()


def test_a_claim_can_be_made_to_hold_for_longer(log: Log) -> None:
    enter(log)
    token = claim(log, 0, until=1)
    assert token is not None
    assert log.keep_claim(ONE, claim=token, until=minute(15))
    with pytest.raises(AlreadyClaimed):
        claim(log, 14)
    assert claim(log, 15.1, until=16)


def test_without_a_claim_nobody_closes_what_another_worker_claims(log: Log) -> None:
    enter(log)
    claim(log, 0, until=1)
    assert not log.close(ONE, state=State.SUPPRESSED, reason="no", at=minute(0.5))
    assert log.close(ONE, state=State.SUPPRESSED, reason="no", at=minute(1.1))


def test_what_was_never_entered_is_not_claimed(log: Log) -> None:
    assert not claim(log)


@pytest.mark.parametrize("state", [State.FAILED, State.SKIPPED, State.SUPPRESSED])
def test_what_is_closed_is_not_claimed_and_says_why(state: State, log: Log) -> None:
    enter(log)
    log.close(ONE, state=state, reason="the order was erased", at=minute(1), claim=claim(log))
    assert not claim(log, 5)
    item = item_of(log)
    assert (item["state"], item["reason"]) == (state, "the order was erased")
    assert "claimed_until" not in item


def test_what_was_sent_is_not_claimed(log: Log) -> None:
    enter(log)
    log.mark_sent(ONE, message_id="m-1", at=minute(1), claim=claim(log))
    assert not claim(log, 5)
    item = item_of(log)
    assert (item["message_id"], item["sent_at"]) == ("m-1", "2026-03-02T12:01:00Z")


def test_notices_of_two_recipients_and_channels_are_apart(log: Log) -> None:
    for other in (notice(recipient="ops@example.org"), notice(channel=Channel.SNS), ONE):
        assert log.enter(Choice(notice=other), at=minute(0)).state is State.QUEUED
        log.mark_sent(other, message_id="m", at=minute(1))


def test_no_key_holds_an_address(log: Log) -> None:
    assert "example.org" not in str(notice_key(ONE))


def test_what_was_held_and_is_sent_is_due_no_more(log: Log) -> None:
    log.enter(Choice(notice=ONE, due_at=minute(30)), at=minute(0))
    log.mark_sent(ONE, message_id="m-1", at=minute(30))
    assert "due_at" not in item_of(log)
