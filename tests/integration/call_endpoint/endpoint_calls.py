"""Notices for an endpoint, their stored data, and calls of the function."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.delivery_log_items import notice_key
from milepost.notifications.aws.held_notices import HoldsTable
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.topic_and_queues import NoticeQueue
from milepost.notifications.endpoints.delivery import Caller
from milepost.notifications.endpoints.retry_policy import Answer
from milepost.notifications.notice import Channel, Notice
from milepost.notifications.recipients import Choice
from milepost.notifications.subscription import Subscription
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import Kind
from tests.builders import NOON, OFFERGRID, announcement, notice, report, tracked
from tests.make_events import sqs_batch
from tests.stack import Context, Stack, aws

OWNER = "ops@example.org"


ATTEMPTS = 10
WHY = "Max Mustermann has no coverage there"
"""A reason that names somebody of whom the order knows nothing."""


class UndelayedQueue(NoticeQueue):
    """The queue, except that it delivers delayed messages immediately."""

    def __init__(self, client: Any, *, queue_url: str) -> None:
        super().__init__(client, queue_url=queue_url)
        self.delays: list[timedelta] = []

    def put_message(self, message: Mapping[str, Any], *, delay: timedelta = timedelta(0)) -> None:
        self.delays.append(delay)
        super().put_message(message)


def subscribe(stack: Stack, url: str, *, subscription_id: str = "crm", **changes: Any) -> None:
    one = Subscription(id=subscription_id, channel=Channel.HTTPS, recipient=url, owner=OWNER)
    subscriptions(stack).put(replace(one, **changes))


def subscriptions(stack: Stack) -> SubscriptionsTable:
    return SubscriptionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])


def keep_order(stack: Stack, *statuses: Status) -> None:
    rejected = report(Status.REJECTED, reason=WHY, customer={"name": "Charlotte"})
    order = tracked(rejected, *(report(one, 10) for one in statuses))
    table = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=OFFERGRID
    )
    table.write(order, new=())


def enter(stack: Stack, url: str, *, sequence: int = 1, **changes: Any) -> Notice:
    said = {
        "subscription": "crm",
        "announcement": announcement(Kind.REJECTED, sequence, status=Status.REJECTED),
    }
    one = replace(
        notice(Kind.REJECTED, channel=Channel.HTTPS, recipient=url), **{**said, **changes}
    )
    log = NoticesTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    log.enter(Choice(notice=one), at=NOON)
    return one


def moving(caller: Caller, stack: Stack) -> Caller:
    """A caller whose subscription gets another URL during the call of the endpoint."""

    class Moving:
        def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
            answer = caller.http.post(url, headers=headers, body=body)
            subscribe(stack, "https://new.example.com/hooks")
            return answer

    return replace(caller, http=Moving())


def entry(stack: Stack, one: Notice) -> dict[str, Any]:
    key = notice_key(one)
    (item,) = [i for i in stack.items("NoticesTable") if (i["pk"], i["sk"]) == tuple(key.values())]
    return item


def subscription_item(stack: Stack, subscription_id: str = "crm") -> dict[str, Any]:
    every = [i for i in stack.items("NoticesTable") if i["pk"] == "subscriptions"]
    return {item["sk"]: item for item in every}[subscription_id]


def fail_since(stack: Stack, moment: datetime) -> None:
    aws("dynamodb").update_item(
        TableName=stack.resources["NoticesTable"],
        Key={"pk": {"S": "subscriptions"}, "sk": {"S": "crm"}},
        UpdateExpression="SET failing_since = :since",
        ExpressionAttributeValues={":since": {"S": format_instant(moment)}},
    )


def mails() -> list[Any]:
    return list(ses_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].sent_messages)


def due(stack: Stack, until: datetime) -> list[Any]:
    holds = HoldsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    return [(one.channel, one.message) for one in holds.due(until=until)]


def invoke(app: ModuleType, *messages: Any) -> list[str]:
    """The ids of the messages that failed."""
    answer = app.handler(sqs_batch([json.dumps(one) for one in messages]), Context())
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]
