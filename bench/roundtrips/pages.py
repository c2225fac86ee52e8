"""How long the console and the API take for a page of orders, Today, and an order's page."""

import io
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench import questions, team_orders
from bench.children import WORK
from bench.engine import running_engine
from bench.figures import Figure
from bench.roundtrips.delays import Calls, in_turn, run_module
from bench.roundtrips.stored import slow_stack
from bench.team_orders import CONNECTION
from tests.integration.console_browser import open_console
from tests.integration.operator_requests import http_event
from tests.stack import Context

ORDERS: Final = 20_000
QUICK: Final = 1_000
ROUNDS: Final = 9
GOALS: Final = {
    "a page of the orders list, by the API": 60,
    "a page of the orders list, in the console": 60,
    "the console's page Today": 90,
    "an order's page in the console": 60,
}


def measure(*, quick: bool) -> Iterator[Figure]:
    """Milliseconds for each page."""
    size = QUICK if quick else ORDERS
    for what, found in run_module("pages", str(size)).items():
        milliseconds = [seconds * 1_000 for seconds in found["seconds"]]
        yield Figure(
            what=what,
            measured=median(milliseconds),
            unit="ms",
            goal=GOALS[what],
            note=f"among {size:,}; {found['calls']} calls, {found['in_turn']} in turn; "
            f"{median(found['processor']) * 1_000:.0f} ms of the processor; "
            f"{min(milliseconds):.0f} to {max(milliseconds):.0f} ms",
        )


def _run(size: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    WORK.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=WORK) as place:
        questions.fill(Path(place), size, now=now)
        with (
            running_engine(folder=Path(place)) as engine,
            slow_stack(engine) as (stack, calls, tables),
        ):
            stack.apply(CONNECTION)
            browser, api = open_console(stack), stack.load("orders_api")
            order = team_orders.order(size // 2, now=now).order.key.path_id

            def listed() -> int:
                event = http_event("GET", "/orders", None, role="viewer", query={"limit": "50"})
                return int(api.handler(event, Context())["statusCode"])

            def page(address: str) -> Callable[[], int]:
                return lambda: browser.get(address).status

            asked = (listed, page("/console/orders"), page("/console"),
                     page(f"/console/orders/{order}"))  # fmt: skip
            pages = dict(zip(GOALS, asked, strict=True))
            # The first requests import modules and read settings; the second ones are recorded.
            for _ in range(2):
                tables.record()
                _ask_each(pages)
            tables.replay()
            return {what: _measured(what, ask, calls) for what, ask in pages.items()}


def _ask_each(pages: Mapping[str, Callable[[], int]]) -> None:
    """:raises SystemExit: if a page isn't shown"""
    for what, ask in pages.items():
        if (status := ask()) != 200:
            raise SystemExit(f"{what}: {status}")


def _measured(what: str, ask: Callable[[], int], calls: Calls) -> dict[str, Any]:
    seconds, processor, chains = [], [], []
    for _ in range(ROUNDS):
        calls.clear()
        began, busy = time.perf_counter(), time.process_time()
        _ask_each({what: ask})
        seconds.append(time.perf_counter() - began)
        processor.append(time.process_time() - busy)
        chains.append(in_turn(calls.made))
    return {
        "seconds": seconds,
        "processor": processor,
        "calls": len(calls.made),
        "in_turn": min(chains),
    }


def main() -> None:
    """Measure in this process, and print the result."""
    with redirect_stdout(io.StringIO()):
        measured = _run(int(sys.argv[1]))
    print(json.dumps(measured))
