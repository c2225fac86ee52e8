"""Creates the services of the API and the console from a function's environment."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Final

from milepost.activity.aws.log import ActivityTable
from milepost.api.dependencies import Acting, Services
from milepost.aws.clients import FOR_LINKS, INTERACTIVE_CONFIG, client
from milepost.aws.public_address import read_public_url
from milepost.aws.signing_keys import KeysStore
from milepost.connections.aws.settings import ConnectionSettings
from milepost.forecasts.aws.store import ForecastStore
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.idempotency import RequestsTable
from milepost.notifications.aws.notice_lists import NoticeListsTable
from milepost.orders.aws.index_layout import IndexLayout
from milepost.orders.aws.table import OrdersReader
from milepost.providers.registry import REGISTRY
from milepost.queries.aws.figures import FiguresTable
from milepost.queries.aws.order_lists import OrderLists
from milepost.queries.aws.saved_views import ViewsTable
from milepost.queries.aws.search import SearchTable

if TYPE_CHECKING:
    from botocore.config import Config

    from milepost.actions.batch_plan import BatchPlanner
    from milepost.exports.start import ExportDesk
    from milepost.notifications.resend import Resender
    from milepost.operations.services import Operations
    from milepost.tracking_page.link import TrackingLinks

_FORECASTS_KEPT: Final = 60.0
"""Seconds for which tables of forecasts are kept, which are made once a day."""


def open_services(
    environment: Mapping[str, str],
    *,
    clock: Callable[[], datetime],
    config: "Config" = INTERACTIVE_CONFIG,
    counts_kept: float = 0,
) -> Services:
    """The services of the stack that the environment names.

    Services that few requests need are created at their first use: otherwise every cold start would
    be a tenth longer.

    :param config: how long calls may take; by default, as long as somebody waits
    :param counts_kept: for how many seconds counts of orders are given without being read again
    """
    dynamodb = client("dynamodb", config=config)
    connections = ConnectionSettings(
        client("ssm", config=config),
        path=environment["CONNECTIONS_PATH"],
        clock=time.monotonic,
        providers=REGISTRY,
    )
    notices_table = environment["NOTICES_TABLE"]

    @cache
    def public_url() -> str:
        """Where the API is reached from outside."""
        return read_public_url(
            client("ssm", config=config), connections_path=environment["CONNECTIONS_PATH"]
        )

    @cache
    def resender() -> "Resender":
        """The dependencies to resend a mail."""
        from milepost.notifications.aws.resend import open_resender  # noqa: PLC0415 - see above

        return open_resender(
            dynamodb=dynamodb,
            sqs=client("sqs", config=INTERACTIVE_CONFIG),
            connections=connections,
            orders_table=environment["ORDERS_TABLE"],
            notices_table=notices_table,
            email_queue_url=environment["EMAIL_QUEUE_URL"],
            endpoint_queue_url=environment["ENDPOINT_QUEUE_URL"],
        )

    @cache
    def acting() -> Acting:
        """The dependencies to run actions."""
        from milepost.actions.aws.context import open_action_tools  # noqa: PLC0415 - see above

        return open_action_tools(
            environment, dynamodb=dynamodb, connections=connections, clock=clock
        )

    @cache
    def batches() -> "BatchPlanner":
        """The dependencies to run batches."""
        from milepost.actions.aws.batches import (  # noqa: PLC0415 - see above
            BatchesTable,
            BatchWork,
        )
        from milepost.actions.batch_plan import BatchPlanner  # noqa: PLC0415 - see above
        from milepost.orders.aws.consistent_reads import (  # noqa: PLC0415 - see above
            ConsistentOrders,
        )

        return BatchPlanner(
            batches=BatchesTable(dynamodb, table_name=environment["BATCHES_TABLE"]),
            queue=BatchWork(
                client("sqs", config=INTERACTIVE_CONFIG), queue_url=environment["BATCH_QUEUE_URL"]
            ),
            orders=ConsistentOrders(dynamodb, table_name=environment["ORDERS_TABLE"]),
            connections=connections,
            open_resender=resender,
            clock=clock,
        )

    @cache
    def operations() -> "Operations":
        """The dependencies of operations."""
        from milepost.operations.aws.services import open_operations  # noqa: PLC0415 - see above

        return open_operations(
            environment, connections=connections, public_url=public_url, clock=clock
        )

    @cache
    def exports() -> "ExportDesk":
        """The dependencies to make exports."""
        from milepost.exports.aws.bucket import ExportFiles  # noqa: PLC0415 - see above
        from milepost.exports.aws.job import ExportJobs  # noqa: PLC0415 - see above
        from milepost.exports.aws.table import ExportsTable  # noqa: PLC0415 - see above
        from milepost.exports.start import ExportDesk  # noqa: PLC0415 - see above

        return ExportDesk(
            exports=ExportsTable(dynamodb, table_name=environment["EXPORTS_TABLE"]),
            files=ExportFiles(
                cache(lambda: client("s3", config=FOR_LINKS)), bucket=environment["EXPORTS_BUCKET"]
            ),
            jobs=ExportJobs(
                client("lambda", config=INTERACTIVE_CONFIG),
                function=environment["MAKE_EXPORTS_FUNCTION"],
            ),
            clock=clock,
        )

    cursor_keys = KeysStore(
        client("secretsmanager", config=config),
        secret_id=environment["CURSOR_SECRET_ARN"],
        clock=time.monotonic,
        of="cursors and links",
    )

    @cache
    def tracking_links() -> "TrackingLinks":
        """The dependencies to link to tracking pages."""
        from milepost.tracking_page.aws.link_versions import (  # noqa: PLC0415 - see above
            LinkVersionsTable,
        )
        from milepost.tracking_page.link import TrackingLinks  # noqa: PLC0415 - see above

        return TrackingLinks(
            keys=cursor_keys, versions=LinkVersionsTable(dynamodb, table_name=notices_table)
        )

    return Services(
        orders=OrdersReader(dynamodb, table_name=environment["ORDERS_TABLE"]),
        lists=OrderLists(
            dynamodb,
            table_name=environment["ORDERS_TABLE"],
            layout=IndexLayout(dynamodb, table_name=notices_table),
        ),
        search=SearchTable(dynamodb, table_name=environment["SEARCH_TABLE"]),
        figures=FiguresTable(
            dynamodb, table_name=environment["FIGURES_TABLE"], counts_kept=counts_kept
        ),
        forecasts=ForecastStore(
            dynamodb, table_name=environment["FIGURES_TABLE"], kept=_FORECASTS_KEPT
        ),
        cursor_keys=cursor_keys,
        notices=NoticesTable(dynamodb, table_name=notices_table),
        notice_lists=NoticeListsTable(dynamodb, table_name=notices_table),
        connections=connections,
        requests=RequestsTable(dynamodb, table_name=notices_table),
        activity=ActivityTable(
            dynamodb,
            table_name=environment["ACTIVITY_TABLE"],
            days_kept=int(environment["ACTIVITY_DAYS"]),
        ),
        views=ViewsTable(dynamodb, table_name=environment["VIEWS_TABLE"]),
        open_resender=resender,
        open_acting=acting,
        open_operations=operations,
        open_batches=batches,
        open_exports=exports,
        open_tracking_links=tracking_links,
        clock=clock,
        public_url=public_url,
    )
