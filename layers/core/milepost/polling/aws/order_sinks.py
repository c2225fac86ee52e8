"""The destinations of orders that a poll finds: they are recorded, compared with earlier ones, or
quarantined."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from milepost.common.side_by_side import SideBySide
from milepost.connections.aws.drift import DriftWatch
from milepost.connections.connection import Connection
from milepost.connections.drift import Part
from milepost.orders.recording import Erasures
from milepost.orders.report import Report
from milepost.polling.aws.order_recorder import OrderRecorder
from milepost.polling.sinks import Sinks
from milepost.polling.touched_orders import Touched
from milepost.providers.base import Json, Provider, rules_of, undocumented_words
from milepost.quarantine.aws.store import Quarantine
from milepost.quarantine.redaction import without_secrets

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSinks:
    """The destinations of orders, for any connection."""

    dynamodb: "DynamoDBClient"
    orders_table: str
    erasures: Erasures
    touched: Touched
    drift: DriftWatch
    quarantine: Quarantine
    count_quarantined: Callable[[], None]
    """Raises the alarm, because a person has to look at the quarantine."""
    clock: Callable[[], datetime]

    def of_list(
        self, connection: Connection, provider: Provider, *, side_by_side: SideBySide
    ) -> Sinks:
        """The destinations for a poll of the list, which records the orders of a page in
        parallel."""
        record = self._recorder(connection, provider)
        return Sinks(
            record=record,
            expect=record.expect,
            side_by_side=side_by_side,
            look=self._compare(connection, provider),
            quarantine=self._keep(connection),
        )

    def of_named(self, connection: Connection, provider: Provider) -> Sinks:
        """The destinations for orders that are fetched one by one: each is marked, so that the next
        poll of the list reads it again."""
        return Sinks(
            record=self._recorder(connection, provider, touched=self.touched),
            look=self._compare(connection, provider),
            quarantine=self._keep(connection),
        )

    def _recorder(
        self, connection: Connection, provider: Provider, *, touched: Touched | None = None
    ) -> OrderRecorder:
        return OrderRecorder(
            self.dynamodb,
            table_name=self.orders_table,
            connection=connection,
            rules=rules_of(provider, connection),
            erasures=self.erasures,
            clock=self.clock,
            touched=touched,
        )

    def _compare(
        self, connection: Connection, provider: Provider
    ) -> Callable[[Json, Sequence[Report]], None]:
        """Compares an order's fields with those of earlier ones."""

        def look(order: Json, reports: Sequence[Report]) -> None:
            words = undocumented_words(reports, provider, connection)
            self.drift.compare(connection.id, Part.ORDER, order, words)

        return look

    def _keep(self, connection: Connection) -> Callable[[bytes, str], None]:
        """Quarantines an order that can't be read, unchanged except for secrets that must not be
        stored."""

        def keep(order: bytes, reason: str) -> None:
            key = self.quarantine.keep(
                without_secrets(order),
                connection_id=connection.id,
                source="poll",
                reason=reason,
                at=self.clock(),
            )
            self.count_quarantined()
            logger.warning(
                "quarantined", extra={"connection": connection.id, "reason": reason, "key": key}
            )

        return keep
