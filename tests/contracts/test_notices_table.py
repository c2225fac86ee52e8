"""The delivery log: claims and states, on every engine."""

from typing import Any

import pytest

from milepost.aws.items import from_item, to_item
from milepost.aws.notices_table import NoticesTable, notice_key
from milepost.notices import Channel, State
from milepost.recipients import Choice
from milepost.sending import AlreadyClaimed
from tests.builders import minute, notice

TABLE = "NoticesTable"
ONE = notice()


@pytest.fixture
def log(dynamodb: Any, table: str) -> NoticesTable:
    return NoticesTable(dynamodb, table_name=table)


def item_of(dynamodb: Any, table: str) -> dict[str, Any]:
    answer = dynamodb.get_item(TableName=table, Key=to_item(notice_key(ONE)), ConsistentRead=True)
    return from_item(answer["Item"])


def enter(log: NoticesTable, at: float = 0) -> State:
    return log.enter(Choice(notice=ONE), at=minute(at)).state


def claim(log: NoticesTable, at: float = 0, until: float = 1) -> bool:
    return log.claim(ONE, at=minute(at), until=minute(until))


def test_a_notice_enters_as_queued_once(log: NoticesTable, dynamodb: Any, table: str) -> None:
    assert enter(log, 0) is State.QUEUED
    assert enter(log, 5) is State.QUEUED
    item = item_of(dynamodb, table)
    assert item["queued_at"] == "2026-03-02T12:00:00Z"
    assert item["recipient"] == "sales@example.org"


def test_entering_again_tells_how_it_stands(log: NoticesTable) -> None:
    enter(log)
    log.mark_sent(ONE, message_id="m-1", at=minute(1))
    assert enter(log) is State.SENT


def test_a_queued_notice_is_claimed_once(log: NoticesTable) -> None:
    enter(log)
    assert claim(log, 0)
    with pytest.raises(AlreadyClaimed):
        claim(log, 0.5)


def test_a_claim_ends_by_itself(log: NoticesTable) -> None:
    enter(log)
    assert claim(log, 0, until=1)
    assert claim(log, 1.1, until=3)


def test_a_claim_holds_to_its_last_tenth_of_a_second(log: NoticesTable) -> None:
    enter(log)
    assert claim(log, 0, until=1.015)
    with pytest.raises(AlreadyClaimed):
        claim(log, 1)


def test_a_claim_that_is_released_is_free(log: NoticesTable) -> None:
    enter(log)
    claim(log)
    log.release(ONE)
    assert claim(log)


def test_what_was_never_entered_is_not_claimed(log: NoticesTable) -> None:
    assert not claim(log)


@pytest.mark.parametrize("state", [State.FAILED, State.SKIPPED, State.SUPPRESSED])
def test_what_is_closed_is_not_claimed_and_says_why(
    state: State, log: NoticesTable, dynamodb: Any, table: str
) -> None:
    enter(log)
    claim(log)
    log.close(ONE, state=state, reason="the order was erased", at=minute(1))
    assert not claim(log, 5)
    item = item_of(dynamodb, table)
    assert (item["state"], item["reason"]) == (state, "the order was erased")
    assert "claimed_until" not in item


def test_what_was_sent_is_not_claimed(log: NoticesTable, dynamodb: Any, table: str) -> None:
    enter(log)
    claim(log)
    log.mark_sent(ONE, message_id="m-1", at=minute(1))
    assert not claim(log, 5)
    item = item_of(dynamodb, table)
    assert (item["message_id"], item["sent_at"]) == ("m-1", "2026-03-02T12:01:00Z")


def test_notices_of_two_recipients_and_channels_are_apart(log: NoticesTable) -> None:
    for other in (notice(recipient="ops@example.org"), notice(channel=Channel.SNS), ONE):
        assert log.enter(Choice(notice=other), at=minute(0)).state is State.QUEUED
        log.mark_sent(other, message_id="m", at=minute(1))


def test_no_key_holds_an_address(log: NoticesTable) -> None:
    assert "example.org" not in str(notice_key(ONE))
