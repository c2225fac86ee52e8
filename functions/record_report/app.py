"""Reads the inbox: parses a delivery with the provider's adapter and records it in its order."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.aws.clients import client, open_connections
from milepost.aws.errors import AWS_FAILED
from milepost.aws.logger import open_logger
from milepost.aws.metrics import count_failures, open_metrics
from milepost.aws.sqs_batches import Message, come_back, take_in_time
from milepost.common.errors import BadPayload
from milepost.common.exception_summary import fail_without_message
from milepost.common.strict_json import read_object, write_json
from milepost.connections.aws.activity import LastWebhooks
from milepost.connections.aws.drift import DriftWatch
from milepost.connections.aws.poll_requests import PollRequests
from milepost.connections.aws.settings import ConnectionSettings
from milepost.connections.connection import Connection, UnknownConnection, UnusableConnection
from milepost.connections.drift import Part
from milepost.connections.poll_request import PollRequest
from milepost.orders import recording
from milepost.orders.aws.erased_customers import ErasedCustomers
from milepost.orders.aws.prefetch import ReadAhead
from milepost.orders.aws.table import OrdersReader, OrdersTable
from milepost.orders.order import OrderKey
from milepost.orders.recording import UnstorableOrder
from milepost.orders.report import Report, Source, refuse_future
from milepost.polling.aws.named_orders import NamedOrdersTable, TooManyNamed
from milepost.polling.aws.on_demand import FetchStarts
from milepost.polling.aws.touched_orders import BatchMarks, TouchedTable
from milepost.polling.named_orders import NamedOrder
from milepost.polling.touched_orders import MarkedOrders
from milepost.providers.base import Json, OrderNamed, Provider, read_order, rules_of
from milepost.providers.registry import REGISTRY, UnknownProvider, adapter_of
from milepost.quarantine.aws.store import Quarantine
from milepost.quarantine.redaction import without_secrets
from milepost.webhooks.aws.deliveries import Delivery
from milepost.webhooks.ping import OnlyATest, refuse_test

FOR_ONE: Final = timedelta(seconds=12)
"""The remaining time that is needed to start recording a delivery: a large order, with a slow read
and a slow write."""
FOR_SOME: Final = timedelta(seconds=20)
"""The remaining time that is needed to start reading a delivery, which then also has to be
recorded."""

logger = open_logger()
metrics = open_metrics()

dynamodb = client("dynamodb")
connections = ConnectionSettings(
    client("ssm"), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic, providers=REGISTRY
)
webhooks = LastWebhooks(dynamodb, table_name=os.environ["POLLS_TABLE"])
requests = PollRequests(dynamodb, table_name=os.environ["POLLS_TABLE"])
drift = DriftWatch(dynamodb, table_name=os.environ["POLLS_TABLE"], clock=lambda: datetime.now(UTC))
named_orders = NamedOrdersTable(dynamodb, table_name=os.environ["POLLS_TABLE"])
fetches = FetchStarts(lambda: client("lambda"), function=os.environ["POLL_ORDERS_FUNCTION"])
marks = BatchMarks(
    TouchedTable(dynamodb, table_name=os.environ["TOUCHED_TABLE"]), clock=lambda: datetime.now(UTC)
)
erased_customers = ErasedCustomers(
    dynamodb, table_name=os.environ["ERASURES_TABLE"], orders_table=os.environ["ORDERS_TABLE"]
)
quarantine = Quarantine(lambda: client("s3"), bucket=os.environ["QUARANTINE_BUCKET"])
nobodys_order = OrderKey("-", "-", "-")
open_connections(
    connections.all,
    lambda: OrdersReader(dynamodb, table_name=os.environ["ORDERS_TABLE"]).read(nobodys_order),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A delivery that could be read, and its reports."""

    delivery: Delivery
    connection: Connection
    provider: Provider
    reports: list[Report]


@fail_without_message
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Record a batch of deliveries; SQS retries those that fail, or for which there is no time."""
    readings: dict[str, Reading] = {}
    ahead = ReadAhead(dynamodb, table_name=os.environ["ORDERS_TABLE"])

    def read(message: Message) -> None:
        with logged(message):
            if reading := read_delivery(Delivery.from_message(message["body"])):
                readings[message["messageId"]] = reading

    def record(message: Message) -> None:
        with logged(message):
            record_reading(readings[message["messageId"]], ahead)

    messages: list[Message] = event["Records"]
    unread = take_in_time(messages, read, clock=context, least=FOR_SOME)
    keys = [OrderKey.of(report) for one in readings.values() for report in one.reports]
    ahead.expect(keys)
    marks.expect(keys)
    unrecorded = take_in_time(
        [one for one in messages if one["messageId"] in readings],
        record,
        clock=context,
        least=FOR_ONE,
    )
    note_drift(readings.values())
    left = [one["messageId"] for one in (*unread.left, *unrecorded.left)]
    return come_back([*unread.failed, *unrecorded.failed, *left])


@contextmanager
def logged(message: Message) -> Iterator[None]:
    """Log a failure with its message's id; SQS retries the message."""
    try:
        yield
    except Exception:
        logger.exception("failed to record", message_id=message["messageId"])
        raise


def read_delivery(delivery: Delivery) -> Reading | None:
    """The reports of a delivery; an unreadable delivery is quarantined."""
    try:
        connection = connections.get(delivery.connection_id)
        note_webhook(delivery)
        provider = adapter_of(connection)
        reports = read_reports(delivery, provider=provider, connection=connection)
    except OrderNamed as named:
        have_fetched(delivery, NamedOrder(named.order_id, announce=delivery.announce))
        return None
    except (BadPayload, UnknownConnection, UnknownProvider, UnusableConnection) as error:
        keep_in_quarantine(delivery, str(error), is_trouble=not isinstance(error, OnlyATest))
        return None
    return Reading(delivery=delivery, connection=connection, provider=provider, reports=reports)


def record_reading(reading: Reading, ahead: ReadAhead) -> None:
    """Record each report in its order; a delivery with a report that can't be stored is
    quarantined."""
    connection, delivery = reading.connection, reading.delivery
    table = OrdersTable(dynamodb, table_name=os.environ["ORDERS_TABLE"], connection=connection)
    orders = MarkedOrders(
        ahead.of(table),
        mark=lambda _: marks.mark(connection, is_replay=delivery.replayed_at is not None),
    )
    refused: list[str] = []
    for report in reading.reports:
        try:
            recorded = recording.record(
                report,
                orders=orders,
                rules=rules_of(reading.provider, connection),
                now=datetime.now(UTC),
                announce=delivery.announce,
                erasures=erased_customers,
            )
        except UnstorableOrder as error:
            # Each retry would be refused as well.
            refused.append(str(error))
            continue
        logger.info(
            "recorded",
            connection=connection.id,
            order_id=report.order_id,
            item_id=report.item_id,
            outcome=recorded.outcome,
            status=recorded.status,
        )
    if refused:
        keep_in_quarantine(delivery, refused[0], is_trouble=True)
    elif delivery.kept_as:
        quarantine.remove(delivery.kept_as)


def note_drift(readings: Iterable[Reading]) -> None:
    """Compare webhooks with earlier ones. A failure of this doesn't affect the deliveries."""
    try:
        for one in readings:
            if one.delivery.source is Source.WEBHOOK:
                words = [r.raw_status for r in one.reports if r.has_unknown_status and r.raw_status]
                said = read_object(one.delivery.body)
                drift.look(one.connection.id, Part.WEBHOOK, said, words)
        for change in drift.flush():
            logger.warning("a provider's payloads changed", kind=change.kind, place=change.place)
    except AWS_FAILED:
        logger.warning("not noted how payloads look")


def note_webhook(delivery: Delivery) -> None:
    """Note that the connection's webhooks arrive. A failure of this doesn't affect the delivery."""
    if delivery.source is not Source.WEBHOOK or delivery.replayed_at:
        return
    try:
        webhooks.note(delivery.connection_id, at=delivery.received_at)
    except AWS_FAILED:
        logger.warning("not noted when the last webhook came", connection=delivery.connection_id)


def have_fetched(delivery: Delivery, named: NamedOrder) -> None:
    """Have an order fetched that a webhook only names; beyond a number of them, have all polled.

    The order is stored first. So it is fetched by the next poll if the start fails.
    """
    at = datetime.now(UTC)
    try:
        if named_orders.add(delivery.connection_id, named, now=at):
            start_fetch(delivery.connection_id)
    except TooManyNamed:
        request_poll(delivery)
    logger.info("to be fetched", connection=delivery.connection_id, order_id=named.order_id)
    if delivery.kept_as:
        quarantine.remove(delivery.kept_as)


def start_fetch(connection_id: str) -> None:
    """Start fetching; if that fails, the message's next try starts it."""
    try:
        fetches.start(connection_id)
    except Exception:
        named_orders.withdraw_start(connection_id)
        raise


def request_poll(delivery: Delivery) -> None:
    """Request a poll, for more named orders than are fetched one by one.

    All such webhooks of one minute share one request, for a poll that starts after it, so that a
    burst doesn't exceed the size of the connection's item.
    """
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    request = PollRequest(
        id=f"webhooks-{minute:%H%M}", requested_at=minute + timedelta(minutes=1), announce=True
    )
    requests.keep(delivery.connection_id, request)


def read_reports(delivery: Delivery, *, provider: Provider, connection: Connection) -> list[Report]:
    """The reports of a delivery.

    :raises BadPayload: when it can't be read
    """
    said, at = read_object(delivery.body), delivery.received_at
    if delivery.source is Source.POLL:
        return read_parts(delivery, said, provider=provider, connection=connection)
    refuse_test(said)
    reports = provider.read_event(said, connection=connection, seen_at=at)
    refuse_future(reports, now=delivery.judged_at)
    return reports


def read_parts(
    delivery: Delivery, said: Json, *, provider: Provider, connection: Connection
) -> list[Report]:
    """The reports of an order from a poll; an item that can't be read is quarantined.

    :raises BadPayload: when no item can be read
    """
    found = read_order(
        provider,
        said,
        connection=connection,
        requested_at=delivery.received_at,
        judged_at=delivery.judged_at,
    )
    if found.unreadable and not found.reports:
        raise found.unreadable[0].reason
    for one in found.unreadable:
        body = without_secrets(write_json(one.order).encode())
        keep_in_quarantine(replace(delivery, body=body), str(one.reason), is_trouble=True)
    return found.reports


def keep_in_quarantine(delivery: Delivery, reason: str, *, is_trouble: bool) -> None:
    """Quarantine a delivery, byte for byte, and raise the alarm if it needs a person."""
    key = quarantine.keep(
        delivery.body,
        connection_id=delivery.connection_id,
        source=delivery.source,
        reason=reason,
        at=delivery.received_at,
    )
    if is_trouble:
        count_failures(metrics, "Quarantined")
    logger.warning("quarantined", connection=delivery.connection_id, reason=reason, key=key)
