"""Runs a planned action when its schedule fires, and records the result."""

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.actions.aws.context import ActionTools
from milepost.actions.aws.planned_actions import PlannedActions
from milepost.actions.aws.scheduler import ActionSchedules
from milepost.aws.clients import client
from milepost.aws.logger import open_logger
from milepost.aws.metrics import count_failures, open_metrics
from milepost.common.exception_summary import fail_without_message
from milepost.connections.aws.settings import ApiCredentials, ConnectionSettings
from milepost.orders.aws.erased_customers import ErasedCustomers
from milepost.polling.aws.touched_orders import TouchedTable
from milepost.providers.http import ProviderPool
from milepost.providers.registry import REGISTRY

logger = open_logger()
metrics = open_metrics()

dynamodb, scheduler = client("dynamodb"), client("scheduler")
pool = ProviderPool(maxsize=2)
connections = ConnectionSettings(
    client("ssm"), path=os.environ["CONNECTIONS_PATH"], clock=time.monotonic, providers=REGISTRY
)
credentials = ApiCredentials(
    client("secretsmanager"), secret_id=os.environ["API_CREDENTIALS_ARN"], clock=time.monotonic
)
erased_customers = ErasedCustomers(
    dynamodb, table_name=os.environ["ERASURES_TABLE"], orders_table=os.environ["ORDERS_TABLE"]
)


def count_failure() -> None:
    count_failures(metrics, "PlannedActionFailures")


@fail_without_message
@metrics.log_metrics
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the planned action that the event names; see ``PlannedActions.run``."""
    return PlannedActions(tools=tools(context), count_failure=count_failure).run(event)


def tools(context: LambdaContext) -> ActionTools:
    """The dependencies of actions; if a provider is unavailable, this function is scheduled
    again.
    """
    return ActionTools(
        dynamodb=dynamodb,
        orders_table=os.environ["ORDERS_TABLE"],
        touched=TouchedTable(dynamodb, table_name=os.environ["TOUCHED_TABLE"]),
        connections=connections,
        credentials=credentials,
        plans=ActionSchedules(
            scheduler,
            group=os.environ["ACTION_SCHEDULES_GROUP"],
            role_arn=os.environ["ACTION_SCHEDULES_ROLE_ARN"],
            function_arn=context.invoked_function_arn,
            dead_letters_arn=os.environ["FAILED_INVOCATIONS_ARN"],
        ),
        pool=pool,
        clock=lambda: datetime.now(UTC),
        erasures=erased_customers,
    )
