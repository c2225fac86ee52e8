"""Records deliveries in their orders, or stores them in the quarantine if that isn't possible."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING

from milepost.aws.errors import AWS_FAILED
from milepost.common.errors import BadPayload
from milepost.common.strict_json import write_json
from milepost.connections.aws.activity import LastWebhooks
from milepost.connections.aws.drift import DriftWatch
from milepost.connections.connection import Connections, UnknownConnection, UnusableConnection
from milepost.connections.drift import Part
from milepost.deliveries.reading import Reading, read_delivery
from milepost.orders import recording
from milepost.orders.aws.prefetch import ReadAhead
from milepost.orders.aws.table import OrdersTable
from milepost.orders.recording import Erasures, UnstorableOrder
from milepost.orders.report import Report, Source
from milepost.polling.aws.poll_starts import NamedOrderRequests
from milepost.polling.aws.touched_orders import BatchMarks
from milepost.polling.named_orders import NamedOrder
from milepost.polling.touched_orders import MarkedOrders
from milepost.providers.base import OrderNamed, rules_of, undocumented_words
from milepost.providers.registry import UnknownProvider, adapter_of
from milepost.quarantine.aws.store import Quarantine
from milepost.quarantine.redaction import without_secrets
from milepost.webhooks.delivery import Delivery
from milepost.webhooks.ping import OnlyATest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecorder:
    """Reads deliveries, and records their reports.

    Deliveries of different orders may be recorded by several threads at a time; everything else is
    done by one thread.
    """

    dynamodb: "DynamoDBClient"
    orders_table: str
    connections: Connections
    last_webhooks: LastWebhooks
    drift: DriftWatch
    named_orders: NamedOrderRequests
    marks: BatchMarks
    erasures: Erasures
    quarantine: Quarantine
    count_quarantined: Callable[[], None]
    """Raises the alarm, because a person has to look at the quarantine."""
    clock: Callable[[], datetime]
    _quarantining: Lock = field(default_factory=Lock, init=False)
    """Held while a thread uses the quarantine, whose client is made at its first use, or counts."""

    def read(self, delivery: Delivery) -> Reading | None:
        """The reports of a delivery; None if it was quarantined, or if its order has to be
        fetched.
        """
        try:
            connection = self.connections.get(delivery.connection_id)
            self._note_webhook(delivery)
            return read_delivery(delivery, provider=adapter_of(connection), connection=connection)
        except OrderNamed as named:
            self._request_fetch(delivery, NamedOrder(named.order_id, announce=delivery.announce))
        except OnlyATest as test:
            self._quarantine(delivery, str(test))
        except (BadPayload, UnknownConnection, UnknownProvider, UnusableConnection) as error:
            self._keep_and_count(delivery, str(error))
        return None

    def expect(self, readings: Iterable[Reading]) -> ReadAhead:
        """Read the orders of these deliveries in one call, before they are recorded one by one."""
        keys = [key for reading in readings for key in reading.keys]
        ahead = ReadAhead(self.dynamodb, table_name=self.orders_table)
        ahead.expect(keys)
        self.marks.expect(keys)
        return ahead

    def record(self, reading: Reading, ahead: ReadAhead) -> None:
        """Record each report in its order.

        Items that can't be read are quarantined, and so is a delivery with a report that can't be
        stored.
        """
        delivery = reading.delivery
        for one in reading.unreadable:
            body = without_secrets(write_json(one.order).encode())
            self._keep_and_count(replace(delivery, body=body), str(one.reason))
        refused = [
            why for report in reading.reports if (why := self._record(report, reading, ahead))
        ]
        if refused:
            self._keep_and_count(delivery, refused[0])
        else:
            self._take_out(delivery)

    def note_drift(self, readings: Iterable[Reading]) -> None:
        """Compare webhooks with earlier ones. If this fails, the deliveries are not affected."""
        for one in readings:
            if one.delivery.source is Source.WEBHOOK:
                words = undocumented_words(one.reports, one.provider, one.connection)
                self.drift.compare(one.connection.id, Part.WEBHOOK, one.payload, words)
        self.drift.store()

    def _record(self, report: Report, reading: Reading, ahead: ReadAhead) -> str | None:
        """Record a report; returns the reason if it can't be stored, otherwise None."""
        connection = reading.connection
        is_replay = reading.delivery.replayed_at is not None
        table = OrdersTable(self.dynamodb, table_name=self.orders_table, connection=connection)
        try:
            recorded = recording.record(
                report,
                orders=MarkedOrders(
                    ahead.of(table), mark=lambda _: self.marks.mark(connection, is_replay=is_replay)
                ),
                rules=rules_of(reading.provider, connection),
                now=self.clock(),
                announce=reading.delivery.announce,
                erasures=self.erasures,
            )
        except UnstorableOrder as error:
            # Each retry would be refused as well.
            return str(error)
        logger.info(
            "recorded",
            extra={
                "connection": connection.id,
                "order_id": report.order_id,
                "item_id": report.item_id,
                "outcome": recorded.outcome,
                "status": recorded.status,
            },
        )
        return None

    def _note_webhook(self, delivery: Delivery) -> None:
        """Store that the connection's webhooks arrive. If this fails, the delivery is not
        affected."""
        if delivery.source is not Source.WEBHOOK or delivery.replayed_at:
            return
        try:
            self.last_webhooks.note(delivery.connection_id, at=delivery.received_at)
        except AWS_FAILED:
            logger.warning(
                "the time of the last webhook could not be stored",
                extra={"connection": delivery.connection_id},
            )

    def _request_fetch(self, delivery: Delivery, named: NamedOrder) -> None:
        self.named_orders.request(delivery.connection_id, named)
        logger.info(
            "to be fetched",
            extra={"connection": delivery.connection_id, "order_id": named.order_id},
        )
        self._take_out(delivery)

    def _take_out(self, delivery: Delivery) -> None:
        """Remove a replayed delivery from the quarantine."""
        if delivery.kept_as:
            with self._quarantining:
                self.quarantine.remove(delivery.kept_as)

    def _keep_and_count(self, delivery: Delivery, reason: str) -> None:
        """Store a delivery in the quarantine, and raise the alarm."""
        with self._quarantining:
            self._quarantine(delivery, reason)
            self.count_quarantined()

    def _quarantine(self, delivery: Delivery, reason: str) -> None:
        """Store a delivery in the quarantine, byte for byte."""
        key = self.quarantine.keep(
            delivery.body,
            connection_id=delivery.connection_id,
            source=delivery.source,
            reason=reason,
            at=delivery.received_at,
        )
        logger.warning(
            "quarantined",
            extra={"connection": delivery.connection_id, "reason": reason, "key": key},
        )
