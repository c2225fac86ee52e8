"""Deliveries of a batch in groups: no order is in two of them, and its deliveries stay in order."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.common.status import Status
from milepost.deliveries.reading import Reading, split_by_order
from tests.builders import OFFERGRID, report


def reading(*orders: str, connection: str = OFFERGRID.id) -> Reading:
    """A delivery about an item of each of these orders."""
    said = report(Status.ACCEPTED)
    unused: Any = None
    return Reading(
        delivery=unused,
        connection=unused,
        provider=unused,
        payload={},
        reports=[replace(said, connection=connection, order_id=one) for one in orders],
    )


@pytest.mark.parametrize(
    ("deliveries", "groups"),
    [
        ([], []),
        (["a", "b", "c"], [[0], [1], [2]]),
        (["a", "b", "a", "c", "b"], [[0, 2], [1, 4], [3]]),
        (["aa", "a"], [[0, 1]]),
        (["a", "b", "ab", "a", "b"], [[0, 1, 2, 3, 4]]),
        (["a", "b", "c", "bc", "d", "c"], [[0], [1, 2, 3, 5], [4]]),
        (["", "a", ""], [[0], [1], [2]]),
    ],
)
def test_deliveries_that_share_an_order_are_one_group(
    deliveries: Sequence[str], groups: Sequence[Sequence[int]]
) -> None:
    found = split_by_order({f"{n}": reading(*orders) for n, orders in enumerate(deliveries)})
    assert sorted(sorted(map(int, group)) for group in found) == groups


def test_one_id_at_two_connections_is_two_orders() -> None:
    both = {"first": reading("a"), "second": reading("a", connection="another")}
    assert split_by_order(both) == [["first"], ["second"]]


@given(st.lists(st.text("abcdef", max_size=3), max_size=12))
def test_no_order_is_in_two_groups_and_each_is_recorded_in_the_order_of_arrival(
    deliveries: list[str],
) -> None:
    groups = split_by_order({f"{n}": reading(*orders) for n, orders in enumerate(deliveries)})
    assert sorted(int(name) for group in groups for name in group) == [*range(len(deliveries))]
    for order in "abcdef":
        about = [[int(one) for one in group if order in deliveries[int(one)]] for group in groups]
        (only,) = [one for one in about if one] or [[]]
        assert only == sorted(only)
