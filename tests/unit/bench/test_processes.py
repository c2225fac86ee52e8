"""Processes that benchmarks measure, and the provider that they poll."""

import json
from itertools import pairwise

import pytest

from bench.children import run_python, running_python
from bench.provider import Orders

COUNTS = """
import json, sys
print(json.dumps("ready"), flush=True)
for count, _ in enumerate(sys.stdin, 1):
    print(json.dumps({"count": count}), flush=True)
    assert count < 3, "three are enough"
"""


def test_a_process_works_each_time_it_is_asked_and_remembers_what_it_did() -> None:
    with running_python(COUNTS) as work:
        assert [work(), work()] == [{"count": 1}, {"count": 2}]


def test_a_process_that_ends_says_why() -> None:
    def ask_often() -> None:
        with running_python(COUNTS) as work:
            for _ in range(4):
                work()

    with pytest.raises(RuntimeError, match="three are enough"):
        ask_often()
    with pytest.raises(RuntimeError, match="it broke"):
        run_python("raise SystemExit('it broke')")


def test_every_order_of_the_provider_has_changed_at_another_time_and_some_change_later() -> None:
    orders = Orders(250)
    assert [len(page["orders"]) for page in map(json.loads, orders.pages)] == [100, 100, 50]
    before = times(orders)
    assert all(one < other for one, other in pairwise(before))
    orders.change(step=2, every=100)
    changed = [at for at in times(orders) if at not in before]
    assert len(changed) == 3
    assert min(changed) > before[-1]


def times(orders: Orders) -> list[str]:
    return [one["updatedAt"] for page in orders.pages for one in json.loads(page)["orders"]]
