"""How long the console and the API take for a page of orders, Today, and an order's page."""

import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from bench import questions, team_orders
from bench.children import WORK
from bench.engine import running_engine
from bench.figures import Figure
from bench.roundtrips.delays import run_module
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
    """Milliseconds of each page."""
    size = QUICK if quick else ORDERS
    for what, found in run_module("pages", str(size)).items():
        milliseconds = [seconds * 1_000 for seconds in found["seconds"]]
        yield Figure(
            what=what,
            measured=median(milliseconds),
            unit="ms",
            goal=GOALS[what],
            note=f"among {size:,}; {found['calls']} calls, {min(milliseconds):.0f} to "
            f"{max(milliseconds):.0f} ms",
        )


def _run(size: int) -> dict[str, dict[str, object]]:
    now = datetime.now(UTC)
    WORK.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=WORK) as place:
        questions.fill(Path(place), size, now=now)
        with running_engine(folder=Path(place)) as engine, slow_stack(engine) as (stack, calls):
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
            found: dict[str, dict[str, object]] = {}
            for what, ask in zip(GOALS, asked, strict=True):
                seconds = []
                for _ in range(ROUNDS + 2):
                    calls.made.clear()
                    began = time.perf_counter()
                    status = ask()
                    seconds.append(time.perf_counter() - began)
                    if status != 200:
                        raise SystemExit(f"{what}: {status}")
                # The first ones import modules and read settings.
                found[what] = {"seconds": seconds[2:], "calls": len(calls.made)}
    return found


def main() -> None:
    """Measure in this process, and print what was found."""
    with redirect_stdout(io.StringIO()):
        measured = _run(int(sys.argv[1]))
    print(json.dumps(measured))
