"""The waiting room of digests, on every engine and in the fake that unit tests use."""

from dataclasses import replace

import pytest

from milepost.aws.holds import HoldsTable
from milepost.order import Kind, OrderKey
from milepost.sending import AlreadyClaimed, Batch, Claimed
from tests.builders import RETAIL, announcement, minute, notice
from tests.contracts.conftest import Place
from tests.fakes import MemoryHolds

TABLE = "NoticesTable"
ACCEPTED = notice()
REJECTED = replace(ACCEPTED, announcement=announcement(Kind.REJECTED, 2))
BATCH = Batch.of(ACCEPTED, due_at=minute(60))
Holds = HoldsTable | MemoryHolds


@pytest.fixture
def holds(place: Place) -> Holds:
    return MemoryHolds() if place.is_memory else HoldsTable(place.client, table_name=place.table)


def claim(holds: Holds, at: float, until: float) -> Claimed:
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
    claim(holds, 0, until=1)
    holds.release_batch(BATCH)
    assert claim(holds, 0.5, until=2) == Claimed()


def test_a_batch_that_went_out_says_as_which_mail(holds: Holds) -> None:
    claim(holds, 0, until=1)
    holds.mark_batch_sent(BATCH, message_id="m-1", at=minute(0.5))
    assert claim(holds, 0.6, until=2) == Claimed("m-1")
    assert claim(holds, 60, until=61) == Claimed("m-1")


def test_a_batch_that_is_closed_is_free_for_what_is_held_from_then_on(holds: Holds) -> None:
    claim(holds, 0, until=1)
    holds.mark_batch_sent(BATCH, message_id="m-1", at=minute(0.5))
    holds.hold(ACCEPTED, due_at=minute(60))
    holds.close_batch(BATCH)
    assert claim(holds, 0.6, until=2) == Claimed()
    assert holds.held(BATCH) == [ACCEPTED]


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
