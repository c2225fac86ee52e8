"""orders_api: figures and commissions of orders that went the whole way from the table."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.connections.connection import CommissionTerms
from milepost.forecasts.minimum_samples import FOR_PERCENTILE
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import TrackedOrder
from tests.builders import KEY, NOON, OFFERGRID, report, tracked
from tests.stack import Context, Stack, aws
from tests.unit.api.conftest import http_event, read_answer

PAYING = replace(
    OFFERGRID, commission=(CommissionTerms(amount="75.50", currency="AUD", due_day=31),)
)
NOW = datetime.now(UTC)
"""Orders are as old as the API's clock makes them."""


def ago(**time: float) -> float:
    """A moment before now, as minutes after the noon from which reports count."""
    return (NOW - timedelta(**time) - NOON).total_seconds() / 60


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    stack.apply(PAYING)
    assert stack.resources["OrdersTable"]
    return stack.load("orders_api")


@pytest.fixture
def keep(stack: Stack) -> Callable[..., None]:
    """Writes orders into the table and counts them."""

    def write(*orders: TrackedOrder) -> None:
        name = stack.resources["OrdersTable"]
        table = OrdersTable(aws("dynamodb"), table_name=name, connection=PAYING)
        for one in orders:
            table.write(one, new=())
        stack.load("measure_stages").handler({"backfill": {}}, Context())

    return write


def get(app: ModuleType, path: str, **query: str) -> dict[str, Any]:
    answer = read_answer(app.handler(http_event("GET", path, query=query), Context()))
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.body
    return found


@pytest.mark.thorough
def test_times_of_stages_and_who_is_slow(app: ModuleType, keep: Callable[..., None]) -> None:
    slow = replace(KEY, order_id="slow")
    fast = [replace(KEY, order_id=f"fast-{number}") for number in range(FOR_PERCENTILE)]
    keep(
        *(
            tracked(
                report(Status.PENDING, ago(hours=5), key=key, service_type="internet"),
                report(Status.ACCEPTED, ago(hours=3), key=key),
            )
            for key in fast
        ),
        tracked(report(Status.PENDING, ago(hours=9), key=slow, service_type="internet")),
    )
    found = get(app, "/stages")
    assert [(one["stage"], one["count"], one["mean"]) for one in found["stages"]] == [
        ("pending", FOR_PERCENTILE, 7200)
    ]
    assert [one["id"] for one in found["slow"]] == [slow.path_id]
    assert get(app, "/orders")["counts"] == {"pending": 1, "accepted": FOR_PERCENTILE}


def test_commissions_of_orders_by_page(app: ModuleType, keep: Callable[..., None]) -> None:
    keys = [replace(KEY, order_id=f"ord-{number}") for number in range(5)]
    keep(*(tracked(report(Status.COMPLETED, ago(days=100), key=key)) for key in keys))
    orders: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = get(app, "/commissions", limit="2", state="overdue", **cursor)
        assert len(page["commissions"]) <= 2
        orders += [one["order"] for one in page["commissions"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert sorted(orders) == sorted(key.path_id for key in keys)
    assert get(app, "/commissions", state="paid")["commissions"] == []


def test_causes_and_who_was_accepted_faster(app: ModuleType, keep: Callable[..., None]) -> None:
    keys = [replace(KEY, order_id=f"ord-{number}") for number in range(4)]
    reasons = ("Bonitätsprüfung negativ", "SCHUFA", "Adresse nicht gefunden")
    keep(
        *(
            tracked(
                report(Status.PENDING, ago(hours=5), key=key, service_type="energy"),
                report(Status.REJECTED, ago(hours=4), key=key, reason=reason),
            )
            for key, reason in zip(keys, reasons, strict=False)
        ),
        tracked(
            report(Status.PENDING, ago(hours=5), key=keys[3], malo="51238696781"),
            report(Status.ACCEPTED, ago(hours=3), key=keys[3]),
        ),
    )
    found = get(app, "/causes", service_type="energy")
    assert [(one["outcome"], one["cause"], one["count"]) for one in found["causes"]] == [
        ("rejected", "credit_check", 2),
        ("rejected", "invalid_address", 1),
    ]
    assert [round(one["share"], 2) for one in found["causes"]] == [0.67, 0.33]
    (one,) = get(app, "/causes")["acceptance"]
    assert (one["identifiers"], one["count"], one["mean"], one["faster"]) == ("malo", 1, 7200, None)
