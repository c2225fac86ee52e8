"""The orders API, for people and their programs, authenticated by a token."""

import os
import time
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.activity.aws.log import ActivityTable
from milepost.api.app import build_api
from milepost.api.dependencies import Acting, Services
from milepost.aws.clients import IMPATIENT, client
from milepost.aws.errors import is_outage
from milepost.aws.logger import open_logger
from milepost.aws.metrics import count_failures, open_metrics
from milepost.aws.signing_keys import KeysStore
from milepost.common.exception_summary import fail_without_message
from milepost.connections.aws.settings import ConnectionSettings
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.idempotency import RequestsTable
from milepost.notifications.aws.notice_lists import NoticeListsTable
from milepost.orders.aws.table import OrdersReader
from milepost.providers.registry import REGISTRY
from milepost.queries.aws.figures import FiguresTable
from milepost.queries.aws.order_lists import OrderLists
from milepost.queries.aws.saved_views import ViewsTable
from milepost.queries.aws.search import SearchTable

if TYPE_CHECKING:
    from milepost.notifications.resend import Resender
    from milepost.operations.services import Operations


logger = open_logger()
metrics = open_metrics()

dynamodb = client("dynamodb", config=IMPATIENT)
connections = ConnectionSettings(
    client("ssm", config=IMPATIENT),
    path=os.environ["CONNECTIONS_PATH"],
    clock=time.monotonic,
    providers=REGISTRY,
)


def present_time() -> datetime:
    return datetime.now(UTC)


# What few requests need is opened for the first of them: every start would be a tenth longer.


@cache
def resender() -> "Resender":
    """What it takes to have a mail sent again."""
    from milepost.notifications.aws.resend import open_resender  # noqa: PLC0415 - see above

    return open_resender(
        dynamodb=dynamodb,
        sqs=client("sqs", config=IMPATIENT),
        connections=connections,
        orders_table=os.environ["ORDERS_TABLE"],
        notices_table=os.environ["NOTICES_TABLE"],
        email_queue_url=os.environ["EMAIL_QUEUE_URL"],
    )


@cache
def acting() -> Acting:
    """What it takes to have something done."""
    from milepost.actions.aws.context import open_action_tools  # noqa: PLC0415 - see above

    return open_action_tools(
        os.environ, dynamodb=dynamodb, connections=connections, clock=present_time
    )


@cache
def operations() -> "Operations":
    """What those who operate need."""
    from milepost.operations.aws.services import open_operations  # noqa: PLC0415 - see above

    return open_operations(os.environ, connections=connections)


api = build_api(
    Services(
        orders=OrdersReader(dynamodb, table_name=os.environ["ORDERS_TABLE"]),
        lists=OrderLists(dynamodb, table_name=os.environ["ORDERS_TABLE"]),
        search=SearchTable(dynamodb, table_name=os.environ["SEARCH_TABLE"]),
        figures=FiguresTable(dynamodb, table_name=os.environ["FIGURES_TABLE"]),
        cursor_keys=KeysStore(
            client("secretsmanager", config=IMPATIENT),
            secret_id=os.environ["CURSOR_SECRET_ARN"],
            clock=time.monotonic,
            of="cursors",
        ),
        notices=NoticesTable(dynamodb, table_name=os.environ["NOTICES_TABLE"]),
        notice_lists=NoticeListsTable(dynamodb, table_name=os.environ["NOTICES_TABLE"]),
        connections=connections,
        requests=RequestsTable(dynamodb, table_name=os.environ["NOTICES_TABLE"]),
        activity=ActivityTable(
            dynamodb,
            table_name=os.environ["ACTIVITY_TABLE"],
            days_kept=int(os.environ["ACTIVITY_DAYS"]),
        ),
        views=ViewsTable(dynamodb, table_name=os.environ["VIEWS_TABLE"]),
        open_resender=resender,
        open_acting=acting,
        open_operations=operations,
        clock=present_time,
    ),
    log=logger,
    is_outage=is_outage,
    failed=lambda: count_failures(metrics, "ApiFailures"),
)


@fail_without_message
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of an HTTP API (payload format 2.0)."""
    return api.answer(event, context)
