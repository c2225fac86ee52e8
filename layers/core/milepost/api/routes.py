"""Every subject of the API: a module here is on, and nothing else is."""

from collections.abc import Sequence
from typing import Final

from aws_lambda_powertools.event_handler.api_gateway import Router

from milepost.api import (
    actions,
    commissions,
    connections,
    customers,
    dead_letters,
    groups,
    notices,
    order_lists,
    orders,
    quarantine,
    stages,
    subscriptions,
)

ROUTERS: Final[Sequence[Router]] = (
    order_lists.router,
    orders.router,
    groups.router,
    notices.router,
    actions.router,
    stages.router,
    commissions.router,
    subscriptions.router,
    connections.router,
    quarantine.router,
    dead_letters.router,
    customers.router,
)
