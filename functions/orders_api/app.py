"""The orders API: what people and their programs see and steer, behind a token."""

import os
import time
import warnings
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.api.answering import build_api
from milepost.api.given import Services
from milepost.aws.action_schedules import ActionSchedules
from milepost.aws.action_tools import ActionTools
from milepost.aws.clients import IMPATIENT, client
from milepost.aws.figures_table import FiguresTable
from milepost.aws.notice_messages import NoticeQueue
from milepost.aws.notices_table import NoticesTable
from milepost.aws.order_lists import OrderLists
from milepost.aws.orders_table import OrdersReader
from milepost.aws.outages import is_outage
from milepost.aws.search_table import SearchTable
from milepost.aws.settings import ApiCredentials, ConnectionSettings
from milepost.aws.signing_keys import KeysStore
from milepost.fetching import ProviderPool

if TYPE_CHECKING:
    from milepost.operating import Operations

# Most requests are answered as they should be, so most have no metric: that is no news.
warnings.filterwarnings("ignore", "No application metrics to publish")

logger = Logger()
metrics = Metrics(namespace="Milepost")

dynamodb = client("dynamodb", config=IMPATIENT)
secrets = client("secretsmanager", config=IMPATIENT)
connections = ConnectionSettings(
    client("ssm", config=IMPATIENT), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic
)
acting = ActionTools(
    dynamodb=dynamodb,
    orders_table=os.environ["ORDERS_TABLE"],
    connections=connections,
    credentials=ApiCredentials(
        secrets, secret_id=os.environ["API_CREDENTIALS_ARN"], clock=time.monotonic
    ),
    plans=ActionSchedules(
        client("scheduler", config=IMPATIENT),
        group=os.environ["ACTION_SCHEDULES_GROUP"],
        role_arn=os.environ["ACTION_SCHEDULES_ROLE_ARN"],
        function_arn=os.environ["PERFORM_ACTION_ARN"],
        dead_letters_arn=os.environ["FAILED_INVOCATIONS_ARN"],
    ),
    pool=ProviderPool(maxsize=2),
    clock=lambda: datetime.now(UTC),
)


@cache
def operations() -> "Operations":
    """What only a few requests need, and takes as long to import as all that the others do."""
    from milepost.aws.operations import open_operations  # noqa: PLC0415 - see above

    return open_operations(os.environ)


api = build_api(
    Services(
        orders=OrdersReader(dynamodb, table_name=os.environ["ORDERS_TABLE"]),
        lists=OrderLists(dynamodb, table_name=os.environ["ORDERS_TABLE"]),
        search=SearchTable(dynamodb, table_name=os.environ["SEARCH_TABLE"]),
        figures=FiguresTable(dynamodb, table_name=os.environ["FIGURES_TABLE"]),
        cursor_keys=KeysStore(
            secrets,
            secret_id=os.environ["CURSOR_SECRET_ARN"],
            clock=time.monotonic,
            of="cursors",
        ),
        notices=NoticesTable(dynamodb, table_name=os.environ["NOTICES_TABLE"]),
        emails=NoticeQueue(
            client("sqs", config=IMPATIENT), queue_url=os.environ["EMAIL_QUEUE_URL"]
        ),
        connections=connections,
        acting=acting,
        open_operations=operations,
        clock=lambda: datetime.now(UTC),
    ),
    log=logger,
    is_outage=is_outage,
    failed=lambda: metrics.add_metric(name="ApiFailures", unit=MetricUnit.Count, value=1),
)


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of an HTTP API (payload format 2.0)."""
    return api.answer(event, context)
