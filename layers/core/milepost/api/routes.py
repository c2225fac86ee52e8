"""Every subject of the API: a module here is on, and nothing else is."""

from collections.abc import Sequence
from typing import Final

from aws_lambda_powertools.event_handler.api_gateway import Router

from milepost.api import actions, commissions, groups, notices, order_lists, orders, stages

ROUTERS: Final[Sequence[Router]] = (
    order_lists.router,
    orders.router,
    groups.router,
    notices.router,
    actions.router,
    stages.router,
    commissions.router,
)
