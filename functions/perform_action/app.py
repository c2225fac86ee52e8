"""Runs a planned action when its schedule fires, and records the result."""

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from milepost.actions.action import REFRESH, PlannedCall
from milepost.actions.aws.context import ActionTools
from milepost.actions.aws.scheduler import ActionSchedules, planned_call
from milepost.actions.contact_fetching import fetch_contact
from milepost.actions.perform import close_planned, run_planned
from milepost.aws.clients import client
from milepost.aws.logger import open_logger
from milepost.aws.metrics import count_failures, open_metrics
from milepost.common.exception_summary import fail_without_message
from milepost.connections.aws.settings import ApiCredentials, ConnectionSettings
from milepost.connections.connection import UnknownConnection
from milepost.orders.action_results import ActionDone
from milepost.orders.aws.erased_customers import ErasedCustomers
from milepost.orders.details import Result
from milepost.polling.aws.touched_orders import TouchedTable
from milepost.providers.http import ProviderPool
from milepost.providers.registry import REGISTRY

CONNECTION_REMOVED: Final = "its connection is no longer applied"

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


@fail_without_message
@metrics.log_metrics
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the planned action; the event is ``scheduler.schedule_input``.

    The action ``refresh`` means that a notice waits for the order's contact data: the order is
    fetched.
    """
    call = planned_call(event)
    if call.action == REFRESH:
        return fetch(call, context)
    done = run(call, tools(context))
    result = done.result if done else "nothing"
    if result != Result.DONE:
        # A credential that was just replaced is read again before the next attempt.
        credentials.forget()
    failed = done is not None and (done.result is Result.FAILED or done.answered is not None)
    count_failures(metrics, "PlannedActionFailures", int(failed))
    say = logger.error if failed else logger.info
    say("performed", order=call.order.path_id, action=call.action, result=result)
    return {"order": call.order.path_id, "action": call.action, "result": str(result)}


def run(call: PlannedCall, tools: ActionTools) -> ActionDone | None:
    """Run the planned action; if its connection was removed meanwhile, close the plan."""
    try:
        return run_planned(call, tools=tools.for_order(call.order))
    except UnknownConnection:
        removed = tools.for_order_of_removed(call.order)
        return close_planned(call, why=CONNECTION_REMOVED, tools=removed) if removed else None


def fetch(call: PlannedCall, context: LambdaContext) -> dict[str, Any]:
    """Fetch an order without any data of its customer."""
    try:
        result = fetch_contact(call, tools=tools(context).for_order(call.order))
    except UnknownConnection:
        result = "nothing"
    if result not in ("fetched", "known"):
        credentials.forget()
    logger.info("fetched for contact data", order=call.order.path_id, result=result)
    return {"order": call.order.path_id, "action": call.action, "result": result}


def tools(context: LambdaContext) -> ActionTools:
    """What actions need; if a provider is unavailable, they schedule this function again."""
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
