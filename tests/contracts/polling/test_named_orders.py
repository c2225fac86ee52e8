"""Orders that webhooks only name: kept until they are fetched, one run at a time."""

from datetime import timedelta
from typing import Any

import pytest

from milepost.polling.aws.named_orders import MOST, NamedOrdersTable, TooManyNamed
from milepost.polling.named_orders import NamedOrder
from tests.builders import minute

TABLE = "PollsTable"
NAME, FIVE = "shop", timedelta(minutes=5)
A, B = NamedOrder("a"), NamedOrder("b")


@pytest.fixture
def names(place: Any) -> NamedOrdersTable:
    if place.is_memory:
        pytest.skip("the table is only tried on engines: functions use no fake of it")
    return NamedOrdersTable(place.client, table_name=place.table)


def lease(names: NamedOrdersTable, at: float = 0) -> Any:
    return names.lease(NAME, now=minute(at), duration=FIVE)


def test_the_first_named_order_starts_a_fetch_and_further_ones_join_it(
    names: NamedOrdersTable,
) -> None:
    assert names.add(NAME, A, now=minute(0))
    assert [names.add(NAME, one, now=minute(0.1)) for one in (A, A, B)] == [False] * 3
    assert lease(names, 0.2).take() == [A, B]


def test_a_fetch_that_never_began_is_started_again_after_a_minute(names: NamedOrdersTable) -> None:
    names.add(NAME, A, now=minute(0))
    assert not names.add(NAME, A, now=minute(0.9))
    assert names.add(NAME, A, now=minute(1.1))


def test_while_one_run_fetches_there_is_no_other_and_it_sees_what_is_named_meanwhile(
    names: NamedOrdersTable,
) -> None:
    names.add(NAME, A, now=minute(0))
    mine = lease(names)
    assert mine.take() == [A]
    assert lease(names, 1) is None
    assert not names.add(NAME, A, now=minute(1))
    mine.done([A])
    assert not mine.release()
    assert mine.take() == [A]
    mine.done([A])
    assert mine.take() == []
    assert mine.release()
    assert lease(names, 2) is None
    assert names.add(NAME, A, now=minute(2))


def test_a_run_that_is_killed_leaves_its_orders_to_the_next(names: NamedOrdersTable) -> None:
    names.add(NAME, A, now=minute(0))
    late = lease(names)
    late.take()
    names.add(NAME, B, now=minute(1))
    found = lease(names, 6)
    assert found.take() == [A]
    late.done([A])
    assert not late.release()
    found.done([A])
    assert found.take() == [B]


def test_a_wait_that_the_provider_asked_for_is_kept(names: NamedOrdersTable) -> None:
    names.add(NAME, A, now=minute(0))
    mine = lease(names)
    mine.take()
    mine.give_up(not_before=minute(10))
    assert not names.add(NAME, B, now=minute(5))
    assert lease(names, 5) is None
    assert lease(names, 11).take() == [A]


def test_an_order_named_aloud_and_silently_is_announced(names: NamedOrdersTable) -> None:
    quiet = [NamedOrder("a", announce=False), NamedOrder("b", announce=False)]
    for one in (*quiet, A):
        names.add(NAME, one, now=minute(0))
    mine = lease(names)
    assert mine.take() == [A, quiet[1]]
    mine.done([A, quiet[1]])
    assert mine.take() == []


def test_a_storm_is_bounded(names: NamedOrdersTable) -> None:
    for number in range(MOST):
        names.add(NAME, NamedOrder(str(number)), now=minute(0))
    with pytest.raises(TooManyNamed):
        names.add(NAME, NamedOrder("more"), now=minute(0))


def test_a_start_that_failed_is_left_to_the_next_named_order(names: NamedOrdersTable) -> None:
    assert names.add(NAME, A, now=minute(0))
    names.withdraw_start(NAME)
    assert names.add(NAME, A, now=minute(0.1))
