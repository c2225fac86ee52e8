"""Planned actions in EventBridge Scheduler: one schedule each, deleted after it has run."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from milepost.actions.action import REFRESH, PlannedCall
from milepost.orders.announcements import Announced
from milepost.orders.order import OrderKey

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient

_LATEST: Final = 24 * 3600
"""The number of seconds for which Scheduler retries to start the function."""


class ActionSchedules:
    """Implements ``action.Plans``.

    A schedule's name follows from order, action and key: the same plan put twice is one schedule,
    and a changed plan, whose key is another, has one of its own.
    """

    def __init__(
        self,
        client: "EventBridgeSchedulerClient",
        *,
        group: str,
        role_arn: str,
        function_arn: str,
        dead_letters_arn: str,
    ) -> None:
        self._client = client
        self._group = group
        self._role_arn = role_arn
        self._function_arn = function_arn
        self._dead_letters_arn = dead_letters_arn

    def put(self, call: PlannedCall, *, at: datetime) -> None:
        try:
            self._client.create_schedule(
                Name=schedule_name(call),
                GroupName=self._group,
                ScheduleExpression=f"at({_second(at):%Y-%m-%dT%H:%M:%S})",
                ScheduleExpressionTimezone="UTC",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target={
                    "Arn": self._function_arn,
                    "RoleArn": self._role_arn,
                    "Input": json.dumps(schedule_input(call)),
                    "DeadLetterConfig": {"Arn": self._dead_letters_arn},
                    "RetryPolicy": {"MaximumEventAgeInSeconds": _LATEST},
                },
            )
        except self._client.exceptions.ConflictException:
            # It was created before: the same key means the same time.
            return

    def drop(self, call: PlannedCall) -> None:
        try:
            self._client.delete_schedule(Name=schedule_name(call), GroupName=self._group)
        except self._client.exceptions.ResourceNotFoundException:
            return


def schedule_name(call: PlannedCall) -> str:
    """The name of the schedule: at most 64 characters, the same for the same plan."""
    digest = hashlib.sha256(f"{call.order.path_id} {call.key}".encode()).hexdigest()[:32]
    again = f"-{call.attempt}" if call.attempt > 1 else ""
    return f"{call.action}-{digest}{again}"


def schedule_input(call: PlannedCall) -> dict[str, Any]:
    """The input of the function: only ids, since the timeline says who planned the action."""
    return {
        "order": call.order.path_id,
        "action": call.action,
        "key": call.key,
        "attempt": call.attempt,
    }


def planned_call(event: Mapping[str, Any]) -> PlannedCall:
    """The call from the input that ``schedule_input`` wrote."""
    return PlannedCall(
        order=OrderKey.parse(event["order"]),
        action=event["action"],
        key=event["key"],
        attempt=int(event.get("attempt", 1)),
    )


def _second(at: datetime) -> datetime:
    """The next whole second, in UTC, so that it is never too early."""
    whole = at.astimezone(UTC).replace(microsecond=0)
    return whole if whole >= at else whole + timedelta(seconds=1)


class OrderFetches:
    """Implements ``dispatch.Fetches``."""

    def __init__(self, client: "Callable[[], LambdaClient]", *, function: str) -> None:
        self._client = client
        self._function = function

    def fetch(self, announced: Announced) -> None:
        call = PlannedCall(order=announced.key, action=REFRESH, key=f"contact-{announced.id}")
        self._client().invoke(
            FunctionName=self._function,
            InvocationType="Event",
            Payload=json.dumps(schedule_input(call)).encode(),
        )
