"""How much memory a poll takes, measured in a process of its own; and that its work is linear."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from milepost.providers.http import MOST_BYTES

ROOT = Path(__file__).parents[3]
MOST_MEGABYTES = 300

POLL = """
import json, resource, sys
from dataclasses import replace
from tests.unit.polling.polls import World, answer, offergrid
kind, size = sys.argv[1], int(sys.argv[2])
def endless(world):
    # After a complete poll of as many orders as there may be: it remembers those as well.
    from milepost.polling.page_limits import MOST_ORDERS_OF_A_POLL
    from milepost.providers.base import Response
    numbers, left = iter(range(10**9)), [MOST_ORDERS_OF_A_POLL // size]
    def page(query):
        left[0] -= 1
        orders = b",".join(new % (next(numbers), next(numbers)) for _ in range(size))
        following = b'"%d"' % next(numbers) if left[0] else b"null"
        return Response(200, {}, b'{"nextCursor": %s, "orders": [%s]}' % (following, orders))
    world.wire.rule = page
    world._record = lambda report, announce: True  # What is recorded is in DynamoDB.
    world.connection = replace(world.connection, requests_per_minute=10**9)
    outcomes = [world.poll()]
    while outcomes[-1].outcome != "failed":
        outcomes.append(world.poll())
    assert outcomes[0].outcome == "complete", outcomes[0]
    return outcomes[-1]
start, end = b'{"nextCursor": null, "orders": [', b']}'
new = (b'{"orderId":"o-%07d","updatedAt":"2026-03-01T09:00:00Z",'
       b'"items":[{"itemId":"i-%07d","status":"accepted"}]}')
one = b'{"orderId":"o-%07d","updatedAt":"2026-03-01T09:00:00Z","items":[]}'
if kind in ("orders", "endless"):
    body = start + b",".join(one % number for number in range(size)) + end
else:
    small = {"lists": b"[],", "objects": b'{"":0},', "numbers": b"0,", "deep": b"[[[[[[]]]]]],",
             "texts": b'"a",', "decimals": b"0.5,"}[kind]
    large = b',{"orderId":"x","updatedAt":1,"x":[%s0]}'
    parts = int(sys.argv[3])
    inner = small * ((size - 400) // parts // len(small))
    body = start + one % 1 + large % inner * parts + end
world = offergrid([])
from milepost.providers.base import Response
world.wire.rule = lambda query: Response(200, {}, body)
outcomes = [world.poll() for _ in range(2)] if kind != "endless" else [endless(world)]
# Not getrusage, which counts what the process was before it began this program.
status = open("/proc/self/status").read()
print(json.dumps({
    "megabytes": int(status.partition("VmHWM:")[2].split()[0]) / 1024,
    "seconds": resource.getrusage(resource.RUSAGE_SELF).ru_utime,
    "outcome": outcomes[0].outcome, "error": outcomes[0].error, "bytes": len(body),
}))
"""


def measure(kind: str, size: int, parts: int = 1) -> dict[str, object]:
    path = f"{ROOT}:{ROOT / 'layers' / 'core'}"
    done = subprocess.run(
        [sys.executable, "-c", POLL, kind, str(size), str(parts)],
        env={"PYTHONPATH": path, "PATH": ""},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    measured: dict[str, object] = json.loads(done.stdout)
    return measured


@pytest.mark.thorough
@pytest.mark.parametrize("parts", [1, 5])
@pytest.mark.parametrize("kind", ["lists", "objects", "numbers", "deep", "texts", "decimals"])
def test_a_page_as_large_as_it_may_be_of_small_values_takes_less_than_300_mb(
    kind: str, parts: int
) -> None:
    measured = measure(kind, MOST_BYTES, parts)
    assert measured["outcome"] == "complete"
    assert measured["megabytes"] < MOST_MEGABYTES  # type: ignore[operator]


@pytest.mark.thorough
def test_a_page_of_100_000_orders_is_refused_before_much_memory_is_taken() -> None:
    measured = measure("orders", 100_000)
    assert "more than 10,000 orders on one page" in str(measured["error"])
    assert measured["megabytes"] < MOST_MEGABYTES  # type: ignore[operator]


@pytest.mark.thorough
def test_a_page_of_as_many_orders_as_it_may_have_takes_less_than_300_mb() -> None:
    measured = measure("orders", 10_000)
    assert measured["outcome"] == "complete"
    assert measured["megabytes"] < MOST_MEGABYTES  # type: ignore[operator]


@pytest.mark.thorough
def test_a_list_of_ever_new_orders_is_given_up_before_it_takes_300_mb() -> None:
    measured = measure("endless", 10_000)
    assert "the list goes on after 250,000 orders" in str(measured["error"])
    assert measured["megabytes"] < MOST_MEGABYTES  # type: ignore[operator]
