"""The waiting room of digests, on every engine and in the fake that unit tests use."""

from dataclasses import replace

import pytest

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.common.timestamps import format_instant
from milepost.notifications.aws.delivery_log_items import KEEP
from milepost.notifications.aws.held_notices import Due, HoldsTable
from milepost.notifications.aws.topic_and_queues import batch_of
from milepost.notifications.claims import AlreadyClaimed, Batch, Claimed
from milepost.notifications.notice import Channel, Notice
from milepost.orders.order import Kind, OrderKey
from tests.builders import RETAIL, announcement, minute, notice
from tests.contracts.conftest import Place
from tests.fakes.notifications import MemoryHolds

TABLE = "NoticesTable"
ACCEPTED = notice()
REJECTED = replace(ACCEPTED, announcement=announcement(Kind.REJECTED, 2))
BATCH = Batch.of(ACCEPTED, due_at=minute(60))
Holds = HoldsTable | MemoryHolds


@pytest.fixture
def holds(place: Place) -> Holds:
    return MemoryHolds() if place.is_memory else HoldsTable(place.client, table_name=place.table)


def claim(holds: Holds, at: float, until: float) -> Claimed:
    """A claim without its token, which is another one each time."""
    return replace(take(holds, at, until), token="")


def take(holds: Holds, at: float, until: float) -> Claimed:
    return holds.claim_batch(BATCH, at=minute(at), until=minute(until))


def test_what_is_held_of_one_recipient_and_moment_stands_together(holds: Holds) -> None:
    for one in (REJECTED, ACCEPTED, ACCEPTED):
        holds.hold(one, due_at=minute(60))
    holds.hold(ACCEPTED, due_at=minute(120))
    holds.hold(notice(recipient="ops@example.org"), due_at=minute(60))
    assert holds.held(BATCH) == [ACCEPTED, REJECTED]


def test_what_is_let_go_is_held_no_longer(holds: Holds) -> None:
    holds.hold(ACCEPTED, due_at=minute(60))
    holds.hold(REJECTED, due_at=minute(60))
    for _ in range(2):
        holds.let_go(BATCH, [ACCEPTED])
    assert holds.held(BATCH) == [REJECTED]


def test_more_than_one_request_holds_are_let_go(holds: Holds) -> None:
    many = [replace(ACCEPTED, copy=copy) for copy in range(30)]
    for one in (*many, REJECTED):
        holds.hold(one, due_at=minute(60))
    holds.let_go(BATCH, many)
    assert holds.held(BATCH) == [REJECTED]


def test_of_nothing_held_nothing_is_found(holds: Holds) -> None:
    assert holds.held(BATCH) == []


def test_a_batch_is_claimed_once_until_the_claim_ends(holds: Holds) -> None:
    assert claim(holds, 0, until=1) == Claimed()
    with pytest.raises(AlreadyClaimed):
        claim(holds, 0.5, until=2)
    assert claim(holds, 1.1, until=3) == Claimed()


def test_a_batch_that_is_released_is_free(holds: Holds) -> None:
    token = take(holds, 0, until=1).token
    assert holds.release_batch(BATCH, claim=token)
    assert claim(holds, 0.5, until=2) == Claimed()


def mark_sent(holds: Holds, claimed: Claimed, *notices: Notice, message_id: str = "m-1") -> bool:
    return holds.mark_batch_sent(
        BATCH, notices, message_id=message_id, at=minute(0.5), claim=claimed.token
    )


def test_who_has_lost_the_claim_on_a_batch_writes_nothing(holds: Holds) -> None:
    late = take(holds, 0, until=1)
    holder = take(holds, 1.1, until=3)
    assert mark_sent(holds, holder, ACCEPTED, message_id="the holder's")
    assert not mark_sent(holds, late, ACCEPTED, message_id="too late")
    assert not holds.release_batch(BATCH, claim=late.token)
    assert not holds.keep_batch_claim(BATCH, claim=late.token, until=minute(60))
    assert not holds.close_batch(BATCH, claim=late.token)
    with pytest.raises(AlreadyClaimed):
        take(holds, 2, until=4)
    assert claim(holds, 3.1, until=5).message_id == "the holder's"


def test_a_batch_that_went_out_says_as_which_mail_and_of_which_notices(holds: Holds) -> None:
    mark_sent(holds, take(holds, 0, until=1), ACCEPTED)
    found = claim(holds, 1.1, until=2)
    assert found.message_id == "m-1"
    assert (found.has_notified(ACCEPTED), found.has_notified(REJECTED)) == (True, False)


def test_while_a_mail_is_logged_nobody_else_sends_what_is_left(holds: Holds) -> None:
    mark_sent(holds, take(holds, 0, until=1), ACCEPTED)
    with pytest.raises(AlreadyClaimed):
        claim(holds, 0.6, until=2)


def test_of_several_mails_of_a_batch_the_last_is_known(holds: Holds) -> None:
    claimed = take(holds, 0, until=1)
    mark_sent(holds, claimed, ACCEPTED)
    mark_sent(holds, claimed, REJECTED, message_id="m-2")
    found = claim(holds, 1.1, until=2)
    assert found.message_id == "m-2"
    assert (found.has_notified(ACCEPTED), found.has_notified(REJECTED)) == (False, True)


def test_a_batch_that_is_closed_is_free_for_what_is_held_from_then_on(holds: Holds) -> None:
    claimed = take(holds, 0, until=1)
    mark_sent(holds, claimed, REJECTED)
    holds.hold(ACCEPTED, due_at=minute(60))
    assert holds.close_batch(BATCH, claim=claimed.token)
    assert claim(holds, 0.6, until=2) == Claimed()
    assert holds.held(BATCH) == [ACCEPTED]


def test_a_mail_that_an_earlier_version_noted_stands_for_all_that_was_held(place: Place) -> None:
    if place.is_memory:
        pytest.skip("no earlier version wrote to memory")
    item = {
        "pk": f"held#{BATCH.recipient_hash}#2026-03-02T13:00:00Z",
        "sk": "batch",
        "message_id": "m-1",
    }
    place.client.put_item(TableName=place.table, Item=to_item(item))
    found = claim(HoldsTable(place.client, table_name=place.table), 0, until=1)
    assert (found.has_notified(ACCEPTED), found.has_notified(REJECTED)) == (True, True)


def due_markers(holds: HoldsTable, until: float = 60) -> list[Due]:
    return list(holds.due(until=minute(until)))


@pytest.fixture
def table(place: Place) -> HoldsTable:
    if place.is_memory:
        pytest.skip("markers of what is due are the table's own")
    return HoldsTable(place.client, table_name=place.table)


def test_what_is_due_is_found_from_its_minute_on(table: HoldsTable) -> None:
    table.hold(ACCEPTED, due_at=minute(60))
    assert due_markers(table, until=59) == []
    (due,) = due_markers(table)
    assert (due.channel, batch_of(due.message)) == (Channel.EMAIL, BATCH)


def test_a_marker_that_was_released_is_gone_also_when_asked_twice(table: HoldsTable) -> None:
    table.hold(ACCEPTED, due_at=minute(60))
    (due,) = due_markers(table)
    for _ in range(2):
        table.done(due)
    assert due_markers(table) == []


def test_a_marker_that_was_written_again_meanwhile_stays(table: HoldsTable) -> None:
    table.hold(ACCEPTED, due_at=minute(60))
    (due,) = due_markers(table)
    table.hold(REJECTED, due_at=minute(60))
    table.done(due)
    (again,) = due_markers(table)
    assert again.token != due.token


def test_a_marker_without_a_token_goes_and_takes_no_other_with_it(
    table: HoldsTable, place: Place
) -> None:
    item = {"pk": "due", "sk": f"{format_instant(minute(60))}#email#a", "message": "{}"}
    place.client.put_item(TableName=place.table, Item=to_item(item))
    table.hold(ACCEPTED, due_at=minute(60))
    without = next(due for due in due_markers(table) if not due.token)
    table.done(without)
    assert [bool(due.token) for due in due_markers(table)] == [True]


def test_all_that_is_written_here_expires(table: HoldsTable, place: Place) -> None:
    table.hold(ACCEPTED, due_at=minute(60))
    table.count(ACCEPTED, hour=minute(60))
    table.claim_batch(BATCH, at=minute(60), until=minute(61))
    items = [from_item(item) for item in place.client.scan(TableName=place.table)["Items"]]
    expiries = {item["sk"]: int(item["expires_at"]) for item in items}
    kept_until = int((minute(60) + KEEP).timestamp())
    counted_until = int(minute(180).timestamp())
    assert sorted(expiries.values()) == [counted_until, kept_until, kept_until, kept_until]


def test_a_claim_on_a_batch_is_nothing_held(holds: Holds) -> None:
    claim(holds, 0, until=1)
    assert holds.held(BATCH) == []


def test_notices_are_counted_by_recipient_connection_and_hour(holds: Holds) -> None:
    other = notice(key=OrderKey(RETAIL.id, "order", "item"))
    counted = [
        holds.count(one, hour=minute(hour))
        for one, hour in ((ACCEPTED, 60), (REJECTED, 60), (other, 60), (ACCEPTED, 120))
    ]
    assert counted == [1, 2, 1, 1]
