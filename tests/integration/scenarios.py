"""The data that is stored before each worker runs, and its event."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import ModuleType
from typing import Any

from local.chat_server import ChatServer
from local.sandboxes import Sandboxes
from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.connections.connection import Connection
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.held_notices import HoldsTable
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.topic_and_queues import batch_message, notice_message, notice_of
from milepost.notifications.chat.addresses import webhook_name
from milepost.notifications.claims import Batch
from milepost.notifications.mail.aws.sent_mails import MailsTable
from milepost.notifications.notice import Channel, Notice
from milepost.notifications.recipients import Choice
from milepost.notifications.subscription import Mode, Subscription
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import Kind, OrderKey
from tests.batches import sqs_batch
from tests.builders import (
    NOON,
    OFFERGRID,
    announcement,
    minute,
    notice,
    report,
    tracked,
)
from tests.integration.adjusted_functions import allow_this_machine
from tests.integration.api_requests import REQUESTS
from tests.integration.crash_injection import (
    Scenario,
    subscribe_a_queue,
    subscribe_a_queue_to_a_bus,
)
from tests.integration.provider_actions import DONE_AT_PROVIDERS
from tests.integration.watch_and_unsubscribe import WATCHING_AND_LEAVING
from tests.make_mail_events import MESSAGE_ID
from tests.signing import SECRET
from tests.stack import Stack, aws, event
from tests.unit.notifications.endpoints.receiver import Receiver

POLLED = "offergrid-home"


def notices_table(stack: Stack) -> str:
    return stack.resources["NoticesTable"]


def webhook(stack: Stack) -> Any:
    return event("receive_webhook", "status_changed_accepted")


def deliveries(stack: Stack) -> Any:
    return event("record_report", "late_accepted_after_completed")


def unreadable(stack: Stack) -> Any:
    return event("record_report", "not_json")


def lives(stack: Stack) -> Any:
    return event("measure_stages", "whole_life")


def changes(stack: Stack) -> Any:
    """A change that is announced to a topic, to the team immediately and in a digest, to its
    customer, and to an endpoint."""
    subscribe_a_queue(stack)
    stack.apply(replace(OFFERGRID, customer_notices=frozenset({Kind.ACCEPTED})))
    subscriptions = SubscriptionsTable(aws("dynamodb"), table_name=notices_table(stack))
    for one in (
        Subscription(id="sales", recipient="sales@example.org"),
        Subscription(id="late", recipient="late@example.org", mode=Mode.HOURLY),
        Subscription(id="crm", recipient="https://crm.example.com/x", channel=Channel.HTTPS),
    ):
        subscriptions.put(one)
    batch = event("announce", "accepted")
    for record in batch["Records"]:
        keep_image(stack, record)
    return batch


def changes_on_a_bus(stack: Stack) -> Any:
    """The same with an event bus."""
    subscribe_a_queue_to_a_bus(stack)
    return changes(stack)


def keep_image(stack: Stack, record: Mapping[str, Any]) -> None:
    image = record["dynamodb"]["NewImage"]
    aws("dynamodb").put_item(TableName=stack.resources["OrdersTable"], Item=image)


def queued_notice(stack: Stack) -> Any:
    (record,) = event("announce", "accepted")["Records"]
    keep_image(stack, record)
    batch = event("send_notice", "accepted")
    enter(stack, notice_of(json.loads(batch["Records"][0]["body"])))
    return batch


def enter(stack: Stack, *notices: Notice, due_at: datetime | None = None) -> None:
    log = NoticesTable(aws("dynamodb"), table_name=notices_table(stack))
    for one in notices:
        log.enter(Choice(notice=one, due_at=due_at), at=NOON)


def digest(stack: Stack) -> Any:
    """Two orders held for one recipient until the same time."""
    return sqs_batch([json.dumps(batch_message(hold_two(stack)))])


def hold_two(stack: Stack, *, subscription: str | None = None, **of: Any) -> Batch:
    due_at = minute(60)
    holds = HoldsTable(aws("dynamodb"), table_name=notices_table(stack))
    orders = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=OFFERGRID
    )
    keys = [OrderKey(OFFERGRID.id, f"ord-{number}", "item-1") for number in (1, 2)]
    held = [notice(key=key, subscription=subscription, **of) for key in keys]
    for one in held:
        accepted = report(Status.ACCEPTED, key=one.key, reference=one.key.order_id)
        orders.write(tracked(accepted, announced=(announcement(),)), new=())
        enter(stack, one, due_at=due_at)
        holds.hold(one, due_at=due_at)
    return Batch.of(held[0], due_at=due_at)


def due_digest(stack: Stack) -> Any:
    """The minute in which a digest of two becomes due."""
    hold_two(stack)
    return {"until": format_instant(minute(61))}


def mail_event(name: str) -> Any:
    def prepare(stack: Stack) -> Any:
        mails = MailsTable(aws("dynamodb"), table_name=notices_table(stack))
        mails.keep([notice()], at=minute(1))
        enter(stack, notice())
        log = NoticesTable(aws("dynamodb"), table_name=notices_table(stack))
        log.mark_sent(notice(), message_id=MESSAGE_ID, at=minute(1))
        return event("track_delivery", name)

    return prepare


class Endpoint:
    """A team's own endpoint, and a notice for it."""

    def __init__(self, receiver: Receiver, *, attempt: int) -> None:
        self.receiver, self.attempt = receiver, attempt

    def prepare(self, stack: Stack) -> Any:
        url, dynamodb = self.receiver.url, aws("dynamodb")
        stack.keep_secret("EndpointSecrets", {"crm": SECRET})
        SubscriptionsTable(dynamodb, table_name=notices_table(stack)).put(
            Subscription(id="crm", recipient=url, channel=Channel.HTTPS)
        )
        orders = OrdersTable(
            dynamodb, table_name=stack.resources["OrdersTable"], connection=OFFERGRID
        )
        orders.write(tracked(report(Status.ACCEPTED)), new=())
        one = notice(channel=Channel.HTTPS, recipient=url, subscription="crm")
        enter(stack, one)
        return sqs_batch([json.dumps({**notice_message(one), "attempt": self.attempt})])

    @staticmethod
    def adjust(app: ModuleType) -> None:
        allow_this_machine(app)


class ChatWebhook:
    """A webhook of Slack, and a digest for it."""

    def __init__(self, server: ChatServer) -> None:
        self.url = server.url("slack")

    def prepare(self, stack: Stack) -> Any:
        stack.keep_secret("EndpointSecrets", {"chat": self.url})
        of: dict[str, Any] = {"channel": Channel.SLACK, "recipient": webhook_name(self.url)}
        SubscriptionsTable(aws("dynamodb"), table_name=notices_table(stack)).put(
            Subscription(id="chat", **of)
        )
        return sqs_batch([json.dumps(batch_message(hold_two(stack, subscription="chat", **of)))])


class Provider:
    """A provider on this machine with some pages of orders, one of which can't be read."""

    def __init__(self, sandboxes: Sandboxes) -> None:
        self.sandboxes = sandboxes
        for _ in range(3):
            sandboxes.accounts[POLLED].create_order({})

    def prepare(self, stack: Stack) -> Any:
        # Many polls in a minute, one for each run: the provider's limit is not what this is about.
        self.sandboxes.accounts[POLLED].reset_limits()
        url = self.sandboxes.url(POLLED)
        stack.apply(Connection(id=POLLED, provider="offergrid", base_url=url, page_size=2))
        credentials = self.sandboxes.accounts[POLLED].connection.credentials
        stack.keep_secret("ApiCredentials", {POLLED: credentials})
        return event("poll_orders", POLLED.replace("-", "_"))


SIMPLE = {
    "receive_webhook": Scenario(function="receive_webhook", prepare=webhook),
    "record_report": Scenario(function="record_report", prepare=deliveries),
    "record_report, unreadable": Scenario(function="record_report", prepare=unreadable),
    "announce": Scenario(function="announce", prepare=changes),
    "announce, event bus": Scenario(function="announce", prepare=changes_on_a_bus),
    "send_notice": Scenario(function="send_notice", prepare=queued_notice),
    "send_notice, digest": Scenario(function="send_notice", prepare=digest),
    "release_notices": Scenario(function="release_notices", prepare=due_digest),
    "measure_stages": Scenario(function="measure_stages", prepare=lives),
    "track_delivery, hard bounce": Scenario(
        function="track_delivery", prepare=mail_event("hard_bounce")
    ),
    "track_delivery, soft bounce": Scenario(
        function="track_delivery", prepare=mail_event("soft_bounce")
    ),
    **REQUESTS,
    **WATCHING_AND_LEAVING,
}


SERVED = (
    *("call_endpoint", "call_endpoint, failing", "call_endpoint, digest for a chat"),
    *("poll_orders", *DONE_AT_PROVIDERS),
)
