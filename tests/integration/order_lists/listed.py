"""Orders in lists, and how a test reads a list."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from milepost.common.status import Status
from milepost.orders.order import OrderKey, TrackedOrder
from milepost.queries.aws.order_lists import OrderLists
from milepost.queries.order_list import Listed, Page, Place, Wanted
from tests.builders import NOON, OFFERGRID, RABOT, report, tracked
from tests.stack import aws

ZONES = {one.id: one.time_zone for one in (OFFERGRID, RABOT)}
BOTH = frozenset({OFFERGRID.id, RABOT.id})
ALL = Wanted(asked_at=NOON)
ACCEPTED = Wanted(asked_at=NOON, statuses=(Status.ACCEPTED,))


@dataclass
class RecordingClient:
    """The table's client, and its requests."""

    queries: list[dict[str, Any]] = field(default_factory=list)

    def query(self, **asked: Any) -> Any:
        self.queries.append(asked)
        return aws("dynamodb").query(**asked)

    def batch_get_item(self, **asked: Any) -> Any:
        return aws("dynamodb").batch_get_item(**asked)


def order(
    number: int,
    status: Status = Status.ACCEPTED,
    *,
    connection: str = OFFERGRID.id,
    at: float | None = None,
    **details: Any,
) -> TrackedOrder:
    key = OrderKey(connection, f"ord-{number:04d}", "item-1")
    return tracked(report(status, number if at is None else at, key=key, **details))


def pages(
    lists: OrderLists, wanted: Wanted = ALL, *, limit: int = 7, after: Place | None = None
) -> Iterator[Page]:
    """The pages of a list, one after the other."""
    while True:
        page = lists.page(wanted, zones=ZONES, after=after, limit=limit)
        yield page
        after = page.last
        if after is None:
            return


def shown(found: Iterable[Page]) -> list[Listed]:
    return [one for page in found for one in page.orders]


def ids(orders: Iterable[Listed]) -> list[str]:
    return [one.key.order_id for one in orders]
