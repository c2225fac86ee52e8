"""Poll schedules: in the form for people, and in the form of EventBridge Scheduler."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cli.stack import Stack

_WRITTEN: Final = re.compile(r"\s*(\d{1,4})\s*(minute|hour|day)s?\s*")
_MINUTES: Final[Mapping[str, int]] = {"minute": 1, "hour": 60, "day": 24 * 60}
_SPREAD_FROM_MINUTES: Final = 15
_WIDEST_SPREAD_MINUTES: Final = 15
_LONGEST_RETRY_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class Schedule:
    """``count`` units from one poll to the next; a unit is minute, hour or day."""

    count: int
    unit: str

    @property
    def minutes(self) -> int:
        return self.count * _MINUTES[self.unit]

    @property
    def expression(self) -> str:
        """The expression of EventBridge Scheduler, such as ``rate(5 minutes)``."""
        return f"rate({self})"

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"


def read_schedule(text: str) -> Schedule:
    """Parse ``5 minutes`` or ``1 hour``.

    :raises ValueError: when it is neither, or shorter than the minute that is the least
    """
    found = _WRITTEN.fullmatch(text)
    if found is None or int(found[1]) < 1:
        raise ValueError(
            f'{text!r} is not an interval between polls: write "5 minutes", "1 hour" or off'
        )
    return Schedule(int(found[1]), found[2])


def describe_expression(expression: str, *, state: str) -> str:
    """A stored schedule in words; a schedule that was disabled in the AWS console is paused."""
    words = expression.removeprefix("rate(").removesuffix(")")
    return words if state == "ENABLED" else f"{words} (paused)"


class PollSchedules:
    """One schedule for each connection, named after its id, in a schedule group of their own."""

    def __init__(self, stack: Stack) -> None:
        self._client = stack.client("scheduler")
        self._group = stack.output("PollSchedulesGroup")
        self._function = stack.output("PollOrdersFunctionArn")
        self._role = stack.output("PollSchedulesRoleArn")
        self._failed = stack.output("FailedInvocationsArn")

    def all(self) -> dict[str, Mapping[str, Any]]:
        """Every existing schedule, by connection."""
        pages = self._client.get_paginator("list_schedules").paginate(GroupName=self._group)
        names = [one["Name"] for page in pages for one in page["Schedules"]]
        return {name: self._client.get_schedule(GroupName=self._group, Name=name) for name in names}

    def is_kept(self, connection_id: str, schedule: Schedule, stored: Mapping[str, Any]) -> bool:
        """Whether the stored schedule already has everything that ``put`` would write."""
        wanted = self._declaration(connection_id, schedule)
        return all(_holds(stored.get(name), value) for name, value in wanted.items())

    def put(self, connection_id: str, schedule: Schedule) -> None:
        """Create or update the schedule."""
        declared = self._declaration(connection_id, schedule)
        try:
            self._client.update_schedule(**declared)
        except self._client.exceptions.ResourceNotFoundException:
            self._client.create_schedule(**declared)

    def delete(self, connection_id: str) -> None:
        """Delete the schedule; it is no error if it doesn't exist."""
        try:
            self._client.delete_schedule(GroupName=self._group, Name=connection_id)
        except self._client.exceptions.ResourceNotFoundException:
            return

    def _declaration(self, connection_id: str, schedule: Schedule) -> dict[str, Any]:
        # A poll that could not start is not worth more tries than the next one is away.
        keep_trying = min(max(schedule.minutes * 60, 60), _LONGEST_RETRY_SECONDS)
        return {
            "Name": connection_id,
            "GroupName": self._group,
            "ScheduleExpression": schedule.expression,
            "State": "ENABLED",
            "FlexibleTimeWindow": _window(schedule),
            "Target": {
                "Arn": self._function,
                "RoleArn": self._role,
                "Input": json.dumps({"connection": connection_id}),
                "DeadLetterConfig": {"Arn": self._failed},
                "RetryPolicy": {
                    "MaximumEventAgeInSeconds": keep_trying,
                    "MaximumRetryAttempts": 2,
                },
            },
        }


def _window(schedule: Schedule) -> dict[str, Any]:
    """A flexible time window, since connections that were applied together would otherwise always
    be polled in the same second.
    """
    if schedule.minutes < _SPREAD_FROM_MINUTES:
        return {"Mode": "OFF"}
    spread = min(schedule.minutes // 5, _WIDEST_SPREAD_MINUTES)
    return {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": spread}


def _holds(stored: Any, wanted: Any) -> bool:
    """Whether the stored schedule contains the requested values; the service adds defaults of its
    own.
    """
    if isinstance(wanted, Mapping) and isinstance(stored, Mapping):
        return all(_holds(stored.get(name), value) for name, value in wanted.items())
    return bool(stored == wanted)
