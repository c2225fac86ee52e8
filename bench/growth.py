"""How cost grows: of polls with their orders, timelines with their reports, a busy connection.

A plot of it comes into .local/bench/growth.svg.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from statistics import median
from typing import Final

from bench.children import ROOT, WORK, run_python
from bench.events import STEPS, batches
from bench.figures import Figure
from bench.peers import PYTHON, require_peers
from bench.poll import polling, prime
from bench.provider import running_provider
from bench.sizes import write_units
from bench.stub import read_calls, running_stub
from bench.warm import run_function, write_events
from milepost.aws.dynamodb_items import from_item, to_item
from milepost.common.status import Status
from milepost.orders.aws.table import order_item, tracked_order
from milepost.orders.lifecycle import fold
from milepost.orders.report import Report
from tests.builders import NOON, OFFERGRID, RULES, report, tracked

POLLS: Final = (1_000, 10_000, 100_000)
TIMELINES: Final = (1, 10, 100)
HOT: Final = (600, 3_000, 18_000)
"""Events of one connection within a minute, in batches of ten."""
EVEN: Final = 1.25
"""What one costs may be a quarter more among many than among few: memory is slower than caches."""


def measure(*, quick: bool) -> list[Figure]:
    """Microseconds of processor time for an order of a poll, a report of a timeline, an event of a
    busy connection.
    """
    require_peers()
    polls = {size: _poll(size) for size in (POLLS[:2] if quick else POLLS)}
    first, last = min(polls), max(polls)
    timelines = {size: _timeline(size) for size in TIMELINES}
    hot = {size: _hot_connection(size) for size in (HOT[:2] if quick else HOT)}
    _draw(
        {
            "a poll, per unchanged order": ("orders", polls),
            "one more report": ("reports on the timeline", _first_of(timelines)),
            "an event of one busy connection": ("events", _first_of(hot)),
        }
    )
    return [
        *(
            Figure(
                what=f"a poll of {size:,} unchanged orders, per order", measured=value, unit="us"
            )
            for size, value in polls.items()
        ),
        Figure(
            what=f"… among {last:,}, compared with {first:,}",
            measured=polls[last] / polls[first],
            goal=EVEN,
        ),
        *(
            Figure(
                what=f"one more report on a timeline of {size}",
                measured=microseconds,
                unit="us",
                note=f"{units} write units for the item",
            )
            for size, (microseconds, units) in timelines.items()
        ),
        *_hot_figures(hot),
    ]


def _poll(size: int) -> float:
    with running_provider(size) as provider, running_stub(provider) as endpoint:
        prime(provider, endpoint)
        with polling(endpoint) as poll:
            seconds: float = median(poll()["seconds"] for _ in range(3))
    return seconds / size * 1e6


def _timeline(size: int) -> tuple[float, int]:
    """Microseconds to read an item, fold in another report and write the item; and its write units.

    A timeline of a hundred is at its cap: the report more shortens it.
    """
    *before, last = _reports(size + 1)
    item = to_item(order_item(tracked(*before), connection=OFFERGRID, new=()))
    taken = []
    for _ in range(20):
        started = time.process_time()
        known = tracked_order(from_item(item))
        reports = [*(one.report for one in known.order.timeline), last]
        order = fold(reports, RULES, known.order.summary)
        after = to_item(order_item(replace(known, order=order), connection=OFFERGRID, new=()))
        taken.append(time.process_time() - started)
        assert order.last_entry.report == last
    return median(taken) * 1e6, write_units(after)


def _reports(count: int) -> Iterator[Report]:
    yield report(Status.PENDING, 0, reference="PP-20417")
    for number in range(1, count):
        at = NOON + timedelta(minutes=number)
        yield report(Status.PENDING, number, processing_info=f"Looked at on {at:%d %B, %H:%M}")


def _hot_connection(size: int) -> tuple[float, int]:
    """Microseconds for an event, and how often the connection's own item was written."""
    events = write_events("hot", list(batches(size // len(STEPS))))
    with running_stub() as endpoint:
        seconds = run_function("record_report", events, endpoint)
        # An order is put; what is updated is when the connection's last webhook came.
        return seconds / 10 * 1e6, read_calls(endpoint)["UpdateItem"]


def _hot_figures(hot: Mapping[int, tuple[float, int]]) -> Iterator[Figure]:
    for size, (microseconds, writes) in hot.items():
        yield Figure(
            what=f"one of {size:,} events of one connection",
            measured=microseconds,
            unit="us",
            note=f"all of one minute: the connection's own item written {writes} ×",
        )
    first, last = min(hot), max(hot)
    grown = hot[last][0] / hot[first][0]
    yield Figure(what=f"… among {last:,}, compared with {first:,}", measured=grown, goal=EVEN)


def _first_of(measured: Mapping[int, tuple[float, int]]) -> dict[int, float]:
    return {size: microseconds for size, (microseconds, _) in measured.items()}


def _draw(curves: Mapping[str, tuple[str, Mapping[int, float]]]) -> None:
    """Write .local/bench/growth.svg."""
    panels = [
        {"title": title, "of": of, "unit": "us", "points": sorted(points.items())}
        for title, (of, points) in curves.items()
    ]
    WORK.mkdir(parents=True, exist_ok=True)
    run_python(
        (ROOT / "bench" / "peers" / "plot_growth.py").read_text(),
        json.dumps(panels),
        str(WORK / "growth.svg"),
        environment={"HOME": str(WORK), "PATH": os.defpath},
        python=PYTHON,
    )
