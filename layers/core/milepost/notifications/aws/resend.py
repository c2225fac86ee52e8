"""Creates a resender with its drivers. Short: the API and the command share it."""

from typing import TYPE_CHECKING

from milepost.connections.connection import Connections
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.idempotency import RequestsTable
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.aws.topic_and_queues import NoticeQueue
from milepost.notifications.eligibility_facts import Judge
from milepost.notifications.resend import Resender
from milepost.orders.aws.consistent_reads import ConsistentOrders

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient


def open_resender(
    *,
    dynamodb: "DynamoDBClient",
    sqs: "SQSClient",
    connections: Connections,
    orders_table: str,
    notices_table: str,
    email_queue_url: str,
    endpoint_queue_url: str | None = None,
) -> Resender:
    """A resender with these tables and queues; without the endpoint queue, it resends only
    mails.
    """
    return Resender(
        log=NoticesTable(dynamodb, table_name=notices_table),
        judge=Judge(
            suppressions=SuppressionsTable(dynamodb, table_name=notices_table),
            subscriptions=SubscriptionsTable(dynamodb, table_name=notices_table),
            orders=ConsistentOrders(dynamodb, table_name=orders_table),
            connections=connections,
        ),
        requests=RequestsTable(dynamodb, table_name=notices_table),
        emails=NoticeQueue(sqs, queue_url=email_queue_url),
        endpoints=NoticeQueue(sqs, queue_url=endpoint_queue_url) if endpoint_queue_url else None,
    )
