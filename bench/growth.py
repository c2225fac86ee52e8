"""How cost grows: polls with the orders of a provider, timelines with their reports."""

import time
from collections.abc import Iterator
from datetime import timedelta
from statistics import median
from typing import Final

from bench.figures import Figure
from bench.poll import poll_twice, prime
from bench.provider import running_provider
from bench.sizes import write_units
from bench.stub import running_stub
from milepost.aws.items import from_item, to_item
from milepost.aws.orders_table import order_item, tracked_order
from milepost.lifecycle import fold
from milepost.report import Report, Status
from tests.builders import NOON, OFFERGRID, RULES, report, tracked

POLLS: Final = (1_000, 10_000, 100_000)
TIMELINES: Final = (1, 10, 100)
EVEN: Final = 1.25
"""An order may cost a quarter more among many than among few: memory is slower than caches."""


def measure(*, quick: bool) -> list[Figure]:
    """Microseconds of the processor an order of a poll, and an event of a timeline."""
    polls = {size: _poll(size) for size in (POLLS[:2] if quick else POLLS)}
    first, last = min(polls), max(polls)
    timelines = {size: _timeline(size) for size in TIMELINES}
    return [
        *(
            Figure(what=f"a poll of {size:,} unchanged orders, each", measured=value, unit="us")
            for size, value in polls.items()
        ),
        Figure(
            what=f"… among {last:,} by among {first:,}",
            measured=polls[last] / polls[first],
            goal=EVEN,
        ),
        *(
            Figure(
                what=f"a report more on a timeline of {size}",
                measured=seconds * 1e6,
                unit="us",
                note=f"{units} write units for the item",
            )
            for size, (seconds, units) in timelines.items()
        ),
    ]


def _poll(size: int) -> float:
    with running_provider(size) as provider, running_stub(provider) as endpoint:
        prime(provider, endpoint)
        seconds = median(poll_twice(endpoint)["seconds"] for _ in range(3))
    return seconds / size * 1e6


def _timeline(size: int) -> tuple[float, int]:
    """Seconds to read an item, fold one report more into it and write it out; its write units."""
    *before, last = _reports(size + 1)
    item = to_item(order_item(tracked(*before), connection=OFFERGRID, new=()))
    taken = []
    for _ in range(20):
        started = time.process_time()
        known = tracked_order(from_item(item)).order
        order = fold([*(one.report for one in known.timeline), last], RULES, known.summary)
        after = to_item(order_item(tracked(*before), connection=OFFERGRID, new=()))
        taken.append(time.process_time() - started)
        assert order.last_entry.report == last
    return median(taken), write_units(after)


def _reports(count: int) -> Iterator[Report]:
    yield report(Status.PENDING, 0, reference="PP-20417")
    for number in range(1, count):
        at = NOON + timedelta(minutes=number)
        yield report(Status.PENDING, number, processing_info=f"Looked at on {at:%d %B, %H:%M}")
