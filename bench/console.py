"""Pages of the console: calls to AWS, processor time of rendering, weight, init, and paint.

Calls and weights are those of the function's own code on moto, with a team's orders stored. The
time from a click to the painted page is the browser's own measure, on the local stack if one runs.
"""

import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any, Final
from unittest.mock import patch

from botocore.client import BaseClient
from moto import mock_aws

from bench.children import LAMBDA, ROOT
from bench.cold import start_bare, start_console_floor, start_of
from bench.figures import Figure, ratio
from bench.stub import running_stub
from milepost.common.status import Status
from milepost.console.rendering import Renderer
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.recipients import Choice
from milepost.orders.aws.table import OrdersTable
from milepost.orders.recording import record
from tests.builders import KEY, NOON, OFFERGRID, RABOT, RETAIL, RULES, notice, report
from tests.integration.console_browser import OperatorsBrowser, open_console
from tests.stack import Stack, aws

ORDERS: Final = 120
PAGES: Final = {
    "Today": "/console",
    "Orders": "/console/orders",
    "An order": "/console/orders/{order}",
    "Notices": "/console/notices",
    "Subscriptions": "/console/subscriptions",
    "Connections": "/console/connections",
    "A connection": f"/console/connections/{OFFERGRID.id}",
    "Figures": "/console/figures",
    "Operations": "/console/operations",
    "Activity": "/console/activity",
}
CALLS: Final = 8
KILOBYTES: Final = 60
MILLISECONDS: Final = 15
INIT: Final = 1.3
_STATIC: Final = ROOT / "layers/core/milepost/console/static"
_PLAYWRIGHT: Final = ROOT / ".local/tools/playwright"
_STACK: Final = ROOT / ".local/stack.json"


@dataclass(slots=True)
class Costs:
    """The cost of one page: calls to AWS, and seconds of processor time for rendering."""

    calls: int = 0
    rendering: list[float] = field(default_factory=list)


def measure(*, quick: bool) -> list[Figure]:
    """Rows for each page, then the init, then the paint in a browser."""
    rows = list(_pages(rounds=3 if quick else 9))
    return [*rows, _init(rounds=3 if quick else 9), *_painted()]


def _pages(*, rounds: int) -> Iterator[Figure]:
    os.environ.update({**LAMBDA, "POWERTOOLS_LOG_LEVEL": "CRITICAL"})
    with mock_aws():
        stack = Stack()
        stack.apply(OFFERGRID, RETAIL, RABOT)
        put_orders(stack, ORDERS)
        browser = open_console(stack)
        shared = sum(_packed(one.read_bytes()) for one in _STATIC.glob("*.[cjs]*s"))
        for name, address in PAGES.items():
            yield from _page(browser, name, address.format(order=KEY.path_id), shared, rounds)


def _page(
    browser: OperatorsBrowser, name: str, address: str, shared: int, rounds: int
) -> Iterator[Figure]:
    browser.get(address)  # Imports and settings are read with the first one.
    costs, text = Costs(), ""
    for _ in range(rounds):
        costs.calls = 0
        with _counted(costs):
            shown = browser.get(address)
        assert shown.status == 200, shown.text
        text = shown.text
    page = _packed(text.encode())
    yield Figure(
        what=f"{name}: calls to AWS",
        measured=costs.calls,
        goal=CALLS,
        if_missed="one query for each shard of each status, state or day",
    )
    yield Figure(
        what=f"{name}: rendering",
        measured=median(costs.rendering) * 1000,
        unit="ms",
        goal=MILLISECONDS,
    )
    yield Figure(
        what=f"{name}: weight with styles and scripts",
        measured=(page + shared) / 1000,
        unit="kB",
        goal=KILOBYTES,
        note=f"gzipped; {page / 1000:.1f} kB without them, which browsers keep",
    )


@contextmanager
def _counted(costs: Costs) -> Iterator[None]:
    call: Any = BaseClient._make_api_call  # type: ignore[attr-defined]
    render = Renderer.__call__

    def counted_call(client: BaseClient, *arguments: Any) -> Any:
        costs.calls += 1
        return call(client, *arguments)

    def timed_render(renderer: Renderer, *arguments: Any, **shown: Any) -> str:
        started = time.process_time()
        text = render(renderer, *arguments, **shown)
        costs.rendering.append(time.process_time() - started)
        return text

    with (
        patch.object(BaseClient, "_make_api_call", counted_call),
        patch.object(Renderer, "__call__", timed_render),
    ):
        yield


def put_orders(stack: Stack, count: int) -> None:
    """Store this number of orders of a connection, and a notice."""
    table = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=OFFERGRID
    )
    notices = NoticesTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    notices.enter(Choice(notice=notice()), at=NOON)
    for number in range(count):
        key = KEY if not number else replace(KEY, order_id=f"ord-{number:05d}")
        said: dict[str, Any] = {
            "reference": f"PP-{20_000 + number}",
            "customer": {"name": f"Lachlan Campbell {number}", "email": f"l{number}@example.com"},
        }
        for minutes, status in enumerate((Status.SUBMITTED, Status.ACCEPTED)):
            heard = report(status, minutes, key=key, **said)
            record(heard, orders=table, rules=RULES, now=NOON)


def _packed(content: bytes) -> int:
    return len(gzip.compress(content, compresslevel=6))


def _init(*, rounds: int) -> Figure:
    bare, ours, floor = [], [], []
    with running_stub() as endpoint:
        for _ in range(rounds):
            bare.append(start_bare())
            floor.append(start_console_floor(endpoint))
            ours.append(start_of("console", endpoint))
    return Figure(
        what="init of the function",
        measured=ratio(ours, bare),
        unit="R",
        goal=INIT,
        note=f"R: a bare boto3 client; {median(ours) * 1000:.0f} ms",
        if_missed=f"Event Handler with validation, pydantic, Jinja2 and the clients alone take "
        f"{ratio(floor, bare):.2f} R; docs/performance.md has what was tried",
    )


def _painted() -> list[Figure]:
    """The times in a browser; empty if no local stack runs, or if Playwright is not installed."""
    if not (_STACK.exists() and (_PLAYWRIGHT / ".installed").exists()):
        return []
    done = subprocess.run(
        [sys.executable, "-m", "tests.browser.painted"],
        env={**os.environ, "MILEPOST_PLAYWRIGHT": str(_PLAYWRIGHT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    painted: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return [
        Figure(what=f"{name}: from the click to the painted page", measured=milliseconds, unit="ms")
        for name, milliseconds in painted.items()
    ]
