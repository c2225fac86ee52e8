"""Records the orders that polls find: several are read by one call, then recorded in parallel."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from milepost.aws.errors import AWS_FAILED, name_of, refuses_item
from milepost.connections.connection import Connection
from milepost.orders.aws.prefetch import ReadAhead
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import OrderKey
from milepost.orders.provider_rules import Rules
from milepost.orders.recording import Erasures, OrderStore, RecordOutcome, record
from milepost.orders.report import Report
from milepost.polling.sinks import StoreUnavailable
from milepost.polling.touched_orders import MarkedOrders, Touched

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CHANGED: Final = frozenset({RecordOutcome.TRANSITION, RecordOutcome.RECORDED})


class OrderRecorder:
    """Records reports of one connection's orders. Implements ``sinks.Record``.

    Several threads may record at a time, if each order is recorded by one of them.

    :param touched: where orders are marked for the next poll before they are written; None in a
        poll of the list, which knows itself what it has recorded
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        *,
        table_name: str,
        connection: Connection,
        rules: Rules,
        erasures: Erasures,
        clock: Callable[[], datetime],
        touched: Touched | None = None,
    ) -> None:
        table = OrdersTable(client, table_name=table_name, connection=connection)
        self._ahead = ReadAhead(client, table_name=table_name)
        self._orders: OrderStore = self._ahead.of(table)
        if touched is not None:
            self._orders = MarkedOrders(
                self._orders,
                mark=lambda key: touched.mark(connection.id, [key.order_id], at=clock()),
            )
        self._rules = rules
        self._erasures = erasures
        self._clock = clock

    def expect(self, keys: Sequence[OrderKey]) -> None:
        """Read the orders that are recorded next, in one call.

        :raises StoreUnavailable: when no order can be read now
        """
        try:
            self._ahead.read(keys)
        except AWS_FAILED as error:
            if not refuses_item(error):
                raise _unavailable(error) from None
            # One of the keys is not allowed. It is refused by itself when its order is read.

    def __call__(self, report: Report, /, *, announce: bool) -> bool:
        try:
            recorded = record(
                report,
                orders=self._orders,
                rules=self._rules,
                now=self._clock(),
                announce=announce,
                erasures=self._erasures,
            )
        except AWS_FAILED as error:
            if refuses_item(error):
                raise
            raise _unavailable(error) from None
        return recorded.outcome in _CHANGED


def _unavailable(error: Exception) -> StoreUnavailable:
    """The reason why a call to DynamoDB failed, without the error's message."""
    return StoreUnavailable(f"DynamoDB: {name_of(error)}")
