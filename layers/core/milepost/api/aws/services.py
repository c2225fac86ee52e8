"""Creates the services of the API and the console from a function's environment."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from milepost.activity.aws.log import ActivityTable
from milepost.api.aws.shared_services import SharedServices
from milepost.api.dependencies import Services
from milepost.aws.clients import INTERACTIVE_CONFIG
from milepost.forecasts.aws.store import ForecastStore
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.idempotency import RequestsTable
from milepost.notifications.aws.notice_lists import NoticeListsTable
from milepost.orders.aws.index_layout import IndexLayout
from milepost.orders.aws.table import OrdersReader
from milepost.queries.aws.figures import FiguresTable
from milepost.queries.aws.order_lists import OrderLists
from milepost.queries.aws.saved_views import ViewsTable
from milepost.queries.aws.search import SearchTable

if TYPE_CHECKING:
    from botocore.config import Config

_FORECASTS_KEPT: Final = 60.0
"""For how many seconds tables of forecasts are cached; they are made once a day."""


def open_services(
    environment: Mapping[str, str],
    *,
    clock: Callable[[], datetime],
    config: "Config" = INTERACTIVE_CONFIG,
    counts_kept: float = 0,
) -> Services:
    """The services of the stack that the environment names.

    :param config: how long calls may take; by default, as long as somebody waits
    :param counts_kept: for how many seconds counts of orders are given without being read again
    """
    shared = SharedServices(environment, clock=clock, config=config)
    dynamodb = shared.dynamodb
    orders_table, notices_table = environment["ORDERS_TABLE"], environment["NOTICES_TABLE"]
    figures_table = environment["FIGURES_TABLE"]
    return Services(
        orders=OrdersReader(dynamodb, table_name=orders_table),
        lists=OrderLists(
            dynamodb,
            table_name=orders_table,
            layout=IndexLayout(dynamodb, table_name=notices_table),
        ),
        search=SearchTable(dynamodb, table_name=environment["SEARCH_TABLE"]),
        figures=FiguresTable(dynamodb, table_name=figures_table, counts_kept=counts_kept),
        forecasts=ForecastStore(dynamodb, table_name=figures_table, kept=_FORECASTS_KEPT),
        cursor_keys=shared.cursor_keys,
        notices=NoticesTable(dynamodb, table_name=notices_table),
        notice_lists=NoticeListsTable(dynamodb, table_name=notices_table),
        connections=shared.connections,
        requests=RequestsTable(dynamodb, table_name=notices_table),
        activity=ActivityTable(
            dynamodb,
            table_name=environment["ACTIVITY_TABLE"],
            days_kept=int(environment["ACTIVITY_DAYS"]),
        ),
        views=ViewsTable(dynamodb, table_name=environment["VIEWS_TABLE"]),
        open_resender=shared.resender,
        open_acting=shared.acting,
        open_operations=shared.operations,
        open_batches=shared.batches,
        open_exports=shared.exports,
        open_tracking_links=shared.tracking_links,
        clock=clock,
        public_url=shared.public_url,
    )
