"""Poll schedules: as people write them, and as EventBridge Scheduler takes them."""

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
        """As EventBridge Scheduler reads it, such as ``rate(5 minutes)``."""
        return f"rate({self})"

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"


def read_schedule(text: str) -> Schedule:
    """Read ``5 minutes`` or ``1 hour``.

    :raises ValueError: when it is neither, or shorter than the minute that is the least
    """
    found = _WRITTEN.fullmatch(text)
    if found is None or int(found[1]) < 1:
        raise ValueError(
            f'{text!r} is not an interval between polls: write "5 minutes", "1 hour" or off'
        )
    return Schedule(int(found[1]), found[2])


def describe_expression(expression: str, *, state: str) -> str:
    """A stored schedule in words; one that somebody switched off in the console is paused."""
    words = expression.removeprefix("rate(").removesuffix(")")
    return words if state == "ENABLED" else f"{words} (paused)"


class PollSchedules:
    """One schedule a connection, named by its id, in their own group."""

    def __init__(self, stack: Stack) -> None:
        self._client = stack.client("scheduler")
        self._group = stack.output("PollSchedulesGroup")
        self._function = stack.output("PollOrdersFunctionArn")
        self._role = stack.output("PollSchedulesRoleArn")
        self._failed = stack.output("FailedInvocationsArn")

    def all(self) -> dict[str, Mapping[str, Any]]:
        """Every schedule that is there, by connection."""
        pages = self._client.get_paginator("list_schedules").paginate(GroupName=self._group)
        names = [one["Name"] for page in pages for one in page["Schedules"]]
        return {name: self._client.get_schedule(GroupName=self._group, Name=name) for name in names}

    def is_kept(self, connection_id: str, schedule: Schedule, stored: Mapping[str, Any]) -> bool:
        """Whether what is stored is all that ``put`` would write."""
        wanted = self._declaration(connection_id, schedule)
        return all(_holds(stored.get(name), value) for name, value in wanted.items())

    def put(self, connection_id: str, schedule: Schedule) -> None:
        """Make the schedule, or change the one that is there."""
        declared = self._declaration(connection_id, schedule)
        try:
            self._client.update_schedule(**declared)
        except self._client.exceptions.ResourceNotFoundException:
            self._client.create_schedule(**declared)

    def delete(self, connection_id: str) -> None:
        """Poll no more; one that is gone already is no error."""
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
    """Connections that were applied together would otherwise poll in the same second for ever."""
    if schedule.minutes < _SPREAD_FROM_MINUTES:
        return {"Mode": "OFF"}
    spread = min(schedule.minutes // 5, _WIDEST_SPREAD_MINUTES)
    return {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": spread}


def _holds(stored: Any, wanted: Any) -> bool:
    """Whether all that is wanted is stored; the service adds defaults of its own."""
    if isinstance(wanted, Mapping) and isinstance(stored, Mapping):
        return all(_holds(stored.get(name), value) for name, value in wanted.items())
    return bool(stored == wanted)
