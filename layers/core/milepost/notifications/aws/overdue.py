"""Overdue orders within a subscription, for its digest. Short: it joins two tables."""

from datetime import datetime

from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.orders.aws.index import OrdersIndex
from milepost.orders.overdue_list import OverdueNow


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
