"""Lists and the finder on tables that a test fills."""

from collections.abc import Callable
from typing import Any

import pytest

from milepost.connections.connection import Connection
from milepost.orders.aws import index_keys
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import TrackedOrder
from milepost.queries.aws.figures import FiguresTable
from milepost.queries.aws.order_lists import OrderLists
from milepost.queries.aws.search import SearchTable
from milepost.queries.order_finder import OrderFinder
from tests.builders import OFFERGRID, RABOT
from tests.integration.order_lists.listed import RecordingClient
from tests.stack import Stack, aws


@pytest.fixture(autouse=True)
def _several_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_keys, "SHARDS", 2)


@pytest.fixture
def client() -> RecordingClient:
    return RecordingClient()


@pytest.fixture
def lists(stack: Stack, client: RecordingClient) -> OrderLists:
    return OrderLists(client, table_name=stack.resources["OrdersTable"])


@pytest.fixture
def keep(stack: Stack) -> Callable[..., None]:
    """Writes orders into the table."""

    def write(*orders: TrackedOrder) -> None:
        for one in orders:
            connection = RABOT if one.order.key.connection == RABOT.id else OFFERGRID
            table = OrdersTable(
                aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=connection
            )
            table.write(one, new=())

    return write


@pytest.fixture
def finder(lists: OrderLists, stack: Stack) -> OrderFinder:
    return OrderFinder(
        lists=lists,
        search=SearchTable(aws("dynamodb"), table_name=stack.resources["SearchTable"]),
        figures=FiguresTable(aws("dynamodb"), table_name=stack.resources["FiguresTable"]),
        connections=Known(),
    )


class Known:
    def all(self) -> dict[str, Connection]:
        return {one.id: one for one in (OFFERGRID, RABOT)}

    def unusable(self) -> dict[str, Any]:
        return {}
