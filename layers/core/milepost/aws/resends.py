"""What stands behind resending, for the API and the command alike."""

from typing import Any

from milepost.aws.consistent_orders import ConsistentOrders
from milepost.aws.notice_messages import NoticeQueue
from milepost.aws.notices_table import NoticesTable
from milepost.aws.requests_table import RequestsTable
from milepost.aws.subscriptions_table import SubscriptionsTable, SuppressionsTable
from milepost.connection import Connections
from milepost.judging import Judge
from milepost.resending import Resender


def open_resender(
    *,
    dynamodb: Any,
    sqs: Any,
    connections: Connections,
    orders_table: str,
    notices_table: str,
    email_queue_url: str,
) -> Resender:
    """A resender on these tables and this queue."""
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
    )
