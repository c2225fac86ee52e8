"""The delivery log as the watch reads it: what was told, and how far the watch has looked."""

from typing import Any

import pytest

from milepost.notifications.aws.announcement_log import AnnouncementLogTable
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.notice import FOR_CONTACT_ALONE, Channel, Notice
from milepost.notifications.recipients import Choice
from milepost.orders.order import Kind, OrderKey
from milepost.queries.aws.commission_checkpoint import CommissionCheckpoint
from milepost.queries.commission_watch import Place
from tests.builders import KEY, announcement, minute

TABLE = "NoticesTable"


@pytest.fixture
def log(dynamodb: Any, table: str) -> NoticesTable:
    return NoticesTable(dynamodb, table_name=table)


@pytest.fixture
def checked(dynamodb: Any, table: str) -> AnnouncementLogTable:
    return AnnouncementLogTable(dynamodb, table_name=table)


def notice(
    sequence: int, channel: Channel, kind: Kind = Kind.ACCEPTED, key: OrderKey = KEY
) -> Notice:
    recipient = "arn:aws:sns:topic" if channel is Channel.SNS else "sales@example.org"
    one = announcement(kind, sequence)
    return Notice(key=key, announcement=one, channel=channel, recipient=recipient)


def test_an_announcement_was_told_when_the_topic_was_since_that_comes_last(
    log: NoticesTable, checked: AnnouncementLogTable
) -> None:
    neighbour = OrderKey(KEY.connection, KEY.order_id, f"{KEY.item_id}0")
    only_mailed, published = notice(1, Channel.EMAIL), notice(2, Channel.SNS)
    unpublished, another = notice(3, Channel.SNS), notice(4, Channel.SNS, key=neighbour)
    for one in (only_mailed, published, unpublished, another):
        log.enter(Choice(notice=one), at=minute(1))
    for one in (published, another):
        log.mark_sent(one, message_id="sns-1", at=minute(2))
    assert checked.fully_notified(KEY) == {2}
    assert checked.fully_notified(neighbour) == {4}


@pytest.mark.parametrize("kind", sorted(FOR_CONTACT_ALONE))
def test_what_is_for_the_contact_was_told_when_the_contact_stands_in_the_log(
    log: NoticesTable, checked: AnnouncementLogTable, kind: Kind
) -> None:
    log.enter(Choice(notice=notice(12, Channel.EMAIL, kind)), at=minute(1))
    assert checked.fully_notified(KEY) == {12}


def test_it_remembers_how_far_commissions_were_looked_through(dynamodb: Any, table: str) -> None:
    checkpoint = CommissionCheckpoint(dynamodb, table_name=table)
    assert checkpoint.place() is None
    for place in (Place(minute(10)), Place(minute(15), "offergrid-main:ord_1:item_1")):
        checkpoint.mark(place)
        assert checkpoint.place() == place


def test_it_remembers_how_far_it_looked(checked: AnnouncementLogTable) -> None:
    assert checked.looked_through_until() is None
    checked.mark_looked_through(until=minute(10))
    checked.mark_looked_through(until=minute(25))
    assert checked.looked_through_until() == minute(25)
