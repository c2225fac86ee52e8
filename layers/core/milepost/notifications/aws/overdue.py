"""Overdue orders within a subscription, for its digest. Short: it joins two tables."""

from datetime import datetime
from typing import TYPE_CHECKING

from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.orders.aws.index import OrdersIndex
from milepost.orders.aws.index_layout import IndexLayout
from milepost.orders.overdue_list import OverdueNow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class SubscribersOverdue:
    """Implements ``overdue_list.OverdueOrders``."""

    def __init__(self, index: OrdersIndex, subscriptions: SubscriptionsTable) -> None:
        self._index = index
        self._subscriptions = subscriptions

    def covered_by(self, subscription_id: str, *, now: datetime) -> OverdueNow:
        subscription = self._subscriptions.get(subscription_id)
        if subscription is None:
            return OverdueNow()
        return self._index.overdue(now=now, covers=subscription.covers)


def open_overdue(
    dynamodb: "DynamoDBClient",
    *,
    orders_table: str,
    notices_table: str,
    subscriptions: SubscriptionsTable,
) -> SubscribersOverdue:
    """Overdue orders, also those in partitions of earlier versions."""
    layout = IndexLayout(dynamodb, table_name=notices_table)
    index = OrdersIndex(
        dynamodb, table_name=orders_table, earlier_partitions=layout.earlier_partitions
    )
    return SubscribersOverdue(index, subscriptions)
