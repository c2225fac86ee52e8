"""How long orders_api takes for the most frequent requests, with 100,000 orders.

The function is called here, and its tables are DynamoDB Local's on disk: the emulator of the local
stack reads a whole partition for each query, so it would be measured instead.
"""

import io
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from moto import mock_aws

from bench import team_orders
from bench.children import WORK
from bench.engine import running_engine
from bench.figures import Figure
from bench.stored_rows import append_rows, check_rows
from bench.team_orders import CONNECTION, RARE, REASON, TABLES, items_of
from tests.integration.operator_requests import http_event
from tests.stack import (
    Context,
    Resources,
    Stack,
    create_table,
    variables_of_all_functions,
)

ORDERS: Final = 100_000
QUICK: Final = 2_000
FIRST: Final = 40
"""Orders that come through the engine's API, and whose rows are compared."""
LIMIT: Final = 300.0
"""Milliseconds."""
ROUNDS: Final = 5
_OUTCOMES_FOR_NOBODY: Final = "skipped,suppressed,failed,bounced"

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request, and a check that its response is correct."""

    what: str
    path: str
    query: Mapping[str, str]
    is_right: Callable[[str], bool]
    headers: Mapping[str, str] = field(default_factory=dict)


def measure(*, quick: bool) -> list[Figure]:
    """Milliseconds for each request, and the ratio of the slowest to the limit."""
    size = QUICK if quick else ORDERS
    now = datetime.now(UTC)
    WORK.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=WORK) as place:
        folder = Path(place)
        fill(folder, size, now=now)
        with running_engine(folder=folder) as engine, answering(engine) as answer:
            taken = {one.what: ask(one, answer) for one in questions(size, now=now)}
    slowest = max(taken, key=lambda what: median(taken[what]))
    return [
        *(_figure(what, milliseconds) for what, milliseconds in taken.items()),
        Figure(
            what=f"the slowest request compared with {LIMIT:g} ms, among {size:,}",
            measured=median(taken[slowest]) / LIMIT,
            goal=1,
            note=slowest,
        ),
    ]


def fill(folder: Path, size: int, *, now: datetime) -> None:
    """Fill tables with this number of orders: the first ones through the API, the others as rows of
    the file.

    :raises SystemExit: when the engine keeps the first ones otherwise than rows are written
    """
    with running_engine(folder=folder) as client:
        for name in TABLES:
            create_table(client, name, name=name)
        for number in range(FIRST):
            team_orders.write(client, number, now=now)
    check_rows(folder, items_of(range(FIRST), now=now))
    append_rows(folder, items_of(range(FIRST, size), now=now))


@contextmanager
def answering(engine: Any) -> Iterator[Callable[[Question], Answer]]:
    """orders_api with these tables; all other services of AWS are moto's, and empty."""
    before = dict(os.environ)
    os.environ |= {
        **variables_of_all_functions(),
        "AWS_DEFAULT_REGION": engine.meta.region_name,
        "AWS_ENDPOINT_URL_DYNAMODB": engine.meta.endpoint_url,
        "AWS_LAMBDA_FUNCTION_NAME": "orders_api",
    }
    try:
        with mock_aws(), redirect_stdout(io.StringIO()):
            stack = Stack(Resources({name: name for name in TABLES}))
            stack.apply(CONNECTION)
            app = stack.load("orders_api")
            yield lambda question: app.handler(_event(question), Context())
    finally:
        os.environ.clear()
        os.environ |= before


def ask(question: Question, answer: Callable[[Question], Answer]) -> list[float]:
    """Milliseconds for each of several responses, after a first one.

    :raises SystemExit: when an answer is not right
    """
    taken = []
    for number in range(ROUNDS + 1):
        started = time.perf_counter()
        found = answer(question)
        if number:
            taken.append((time.perf_counter() - started) * 1_000)
        if found["statusCode"] != 200 or not question.is_right(found["body"]):
            raise SystemExit(f"{question.what}: a wrong answer: {found['body'][:500]}")
    return taken


def questions(size: int, *, now: datetime) -> Iterator[Question]:
    """The most frequent searches, each as one request."""
    number = size // 2 + 7
    name, phone = team_orders.name_of(number), team_orders.phone_of(number)
    first, last = name.split()
    order = f"V-{1_000_000 + number}"
    for what, text in {
        "a telephone number": phone.replace("+49 ", "0"),
        "a meter's number": team_orders.meter_of(number),
        "a MaLo": team_orders.malo_of(number),
        "a charge box's serial number": team_orders.serial_of(number),
        "an invoice's number": team_orders.invoice_of(number),
        "two words: a name and a telephone number": f"{last} {phone.replace(' ', '')}",
    }.items():
        yield _search(what, text, lambda body: _orders(body) == [order])
    yield _search("a customer's last name", last, lambda body: _have_name(body, last))
    yield _search("a customer's name", f"{last} {first[:3]}", lambda body: _have_name(body, name))
    yield Question(
        what="open orders with their customers",
        path="/orders",
        query={"limit": "50"},
        is_right=lambda body: len(json.loads(body)["orders"]) == 50 and _have_name(body, ""),
    )
    yield Question(
        what="notices that nobody got, with the reason",
        path="/notices",
        query={"state": _OUTCOMES_FOR_NOBODY, "limit": "50"},
        is_right=lambda body: (
            [one["reason"] for one in json.loads(body)["notices"]] == [REASON] * 50
        ),
    )
    week = {"from": f"{now - timedelta(days=6):%Y-%m-%d}", "to": f"{now:%Y-%m-%d}"}
    yield Question(
        what="orders cancelled by people this week",
        path="/activity",
        query={"kind": "perform_action", "limit": "50", **week},
        is_right=lambda body: any(
            one["targets"]["action"] == "cancel" and one["person"] == "lena"
            for one in json.loads(body)["entries"]
        ),
    )
    rows = size // 100
    yield Question(
        what=f"a spreadsheet of {rows:,} orders",
        path="/orders",
        query={"status": str(RARE)},
        headers={"accept": "text/csv"},
        is_right=lambda body: body.count("\r\n") == rows + 1,
    )


def _search(what: str, text: str, is_right: Callable[[str], bool]) -> Question:
    return Question(what=f"orders by {what}", path="/orders", query={"q": text}, is_right=is_right)


def _orders(body: str) -> list[str]:
    return [one["order_id"] for one in json.loads(body)["orders"]]


def _have_name(body: str, name: str) -> bool:
    found = json.loads(body)["orders"]
    return bool(found) and all(name in one["customer"]["name"] for one in found)


def _event(question: Question) -> dict[str, Any]:
    event = http_event("GET", question.path, None, role="viewer", query=dict(question.query))
    return {**event, "headers": {**event["headers"], **question.headers}}


def _figure(what: str, milliseconds: list[float]) -> Figure:
    return Figure(
        what=what,
        measured=median(milliseconds),
        unit="ms",
        goal=LIMIT,
        note=f"{min(milliseconds):.0f} to {max(milliseconds):.0f} ms",
    )
