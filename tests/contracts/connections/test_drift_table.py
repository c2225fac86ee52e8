"""What is known of payloads: read seldom, written when it changes, told once a day."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from milepost.connections.aws.activity import ContactsTable
from milepost.connections.aws.drift import DriftNotices, DriftWatch
from milepost.connections.drift import Drift, Part
from tests.builders import NOON

TABLE = "PollsTable"
NAME = "shop"


@pytest.fixture
def now() -> list[datetime]:
    return [NOON]


def watch(dynamodb: Any, table: str, now: list[datetime]) -> DriftWatch:
    return DriftWatch(dynamodb, table_name=table, clock=lambda: now[-1])


def drift_of(dynamodb: Any, table: str) -> Drift:
    return ContactsTable(dynamodb, table_name=table).get(NAME).drift


def test_changes_are_stored_and_shown_with_their_connection(
    dynamodb: Any, table: str, now: list[datetime]
) -> None:
    mine = watch(dynamodb, table, now)
    mine.look(NAME, Part.ORDER, {"id": 7}, ["parked"])
    assert [one.detail for one in mine.flush()] == ["parked"]
    assert mine.flush() == []
    (change,) = drift_of(dynamodb, table).changes
    assert (change.detail, change.seen_at) == ("parked", NOON)
    assert ContactsTable(dynamodb, table_name=table).all()[NAME].drift.changes == (change,)
    other = watch(dynamodb, table, now)
    other.look(NAME, Part.ORDER, {"id": 7}, ["parked"])
    assert other.flush() == []


def test_of_two_that_write_at_once_one_looks_again(
    dynamodb: Any, table: str, now: list[datetime]
) -> None:
    one, other = watch(dynamodb, table, now), watch(dynamodb, table, now)
    for mine, word in ((one, "parked"), (other, "lost")):
        mine.look(NAME, Part.ORDER, {"id": 7}, [word])
    assert [len(mine.flush()) for mine in (one, other)] == [1, 0]
    other.look(NAME, Part.ORDER, {"id": 7}, ["lost"])
    assert [change.detail for change in other.flush()] == ["lost"]
    assert [one.detail for one in drift_of(dynamodb, table).changes] == ["parked", "lost"]


def test_what_cannot_be_read_is_learned_again(
    dynamodb: Any, table: str, now: list[datetime]
) -> None:
    item = {"pk": {"S": f"shape#{NAME}"}, "shapes": {"M": {"order": {"S": "["}}}}
    dynamodb.put_item(TableName=table, Item=item)
    assert drift_of(dynamodb, table).changes == ()
    mine = watch(dynamodb, table, now)
    mine.look(NAME, Part.ORDER, {"id": 7}, ["parked"])
    assert len(mine.flush()) == 1


def test_the_team_is_told_at_most_once_a_day_and_of_everything(
    dynamodb: Any, table: str, now: list[datetime]
) -> None:
    told: list[str] = []
    sns = SimpleNamespace(publish=lambda **call: told.append(call["Message"]))
    notices = DriftNotices(dynamodb, table_name=table, sns=sns, topic_arn="alarms")  # type: ignore[arg-type]
    mine = watch(dynamodb, table, now)
    for hours, word in ((0, "parked"), (3, "lost"), (4, "broken")):
        now.append(NOON + timedelta(hours=hours))
        mine.look(NAME, Part.ORDER, {"id": 7}, [word])
        mine.flush()
        notices.tell(NAME, drift_of(dynamodb, table), now=now[-1])
    assert len(told) == 1
    tomorrow = NOON + timedelta(days=1, seconds=1)
    assert notices.tell(NAME, drift_of(dynamodb, table), now=tomorrow)
    assert "parked" in told[0]
    assert "lost" in told[1]
    assert "broken" in told[1]
    assert "parked" not in told[1]
    assert not notices.tell(NAME, drift_of(dynamodb, table), now=NOON + timedelta(days=3))


def test_a_message_that_could_not_be_published_follows_a_day_later(
    dynamodb: Any, table: str, now: list[datetime]
) -> None:
    told: list[str] = []

    def publish(**call: Any) -> None:
        if not told:
            told.append("failed")
            raise TimeoutError
        told.append(call["Message"])

    sns = SimpleNamespace(publish=publish)
    notices = DriftNotices(dynamodb, table_name=table, sns=sns, topic_arn="alarms")  # type: ignore[arg-type]
    mine = watch(dynamodb, table, now)
    mine.look(NAME, Part.ORDER, {"id": 7}, ["parked"])
    mine.flush()
    drift = drift_of(dynamodb, table)
    with pytest.raises(TimeoutError):
        notices.tell(NAME, drift, now=NOON)
    assert not notices.tell(NAME, drift_of(dynamodb, table), now=NOON + timedelta(hours=1))
    assert notices.tell(NAME, drift_of(dynamodb, table), now=NOON + timedelta(hours=25))
    assert "parked" in told[1]
