"""Actions at a provider, immediate or planned, to be interrupted."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any, Final

from local.sandboxes import Sandboxes
from local.sandboxes.clock import Clock
from milepost.common.timestamps import format_instant
from milepost.connections.connection import Connection
from tests.integration.api_requests import request
from tests.integration.crash_injection import Scenario, clock_at
from tests.stack import Context, Stack, aws

CHARGE: Final = "spirii-charge"
TODAY: Final = datetime.now(UTC).replace(microsecond=0)
YESTERDAY: Final = TODAY - timedelta(days=1)
LATELY: Final = TODAY - timedelta(hours=1)

Request = Callable[[Stack], Any]


class StoppedClock(Clock):
    """A provider's clock that stands still, so that every run has the same times."""

    def now(self) -> datetime:
        return LATELY


DONE_AT_PROVIDERS: Final = (
    "orders_api, cancelled",
    "orders_api, refused",
    "orders_api, refreshed",
    "orders_api, planned",
    "orders_api, planned again",
    "orders_api, called off",
    "orders_api, done before its plan",
    "perform_action",
    "perform_action, refused",
    "perform_action, down",
)


class Charge:
    """An order at a provider on this machine, on which actions can be run."""

    def __init__(self, sandboxes: Sandboxes) -> None:
        self.sandboxes, self.account = sandboxes, sandboxes.accounts[CHARGE]
        self.account.clock = StoppedClock()

    def scenarios(self) -> dict[str, Scenario]:
        at = {"at": in_hours(1)}
        return {
            "orders_api, cancelled": self._asked("POST", "cancel", {"reason": "moved"}),
            "orders_api, refused": self._asked("POST", "cancel", moved_to="Fulfilled"),
            "orders_api, refreshed": self._asked("POST", "refresh", moved_to="Scheduled"),
            "orders_api, planned": self._asked("POST", "fulfill", at),
            "orders_api, planned again": self._asked("POST", "fulfill", at, planned=2),
            "orders_api, called off": self._asked("DELETE", "fulfill/planned", planned=2),
            "orders_api, done before its plan": self._asked("POST", "fulfill", planned=2),
            "perform_action": self._due(),
            "perform_action, refused": self._due(moved_to="Cancelled"),
            "perform_action, down": self._due(is_down=True),
        }

    def _asked(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        moved_to: str | None = None,
        planned: int | None = None,
    ) -> Scenario:
        """A request about an order that has changed since the last poll, or that is planned for
        later.
        """

        def prepare(stack: Stack) -> Any:
            order = self._order(stack)
            if planned is not None:
                self._plan(stack, order, hours=planned)
            self._move(moved_to)
            return request(method, f"/orders/{order}/actions/{path}", body)

        refused = 409 if moved_to == "Fulfilled" else None
        return self._scenario("orders_api", prepare, refused=refused)

    def _due(self, *, moved_to: str | None = None, is_down: bool = False) -> Scenario:
        """A plan that is due."""

        def prepare(stack: Stack) -> Any:
            self._plan(stack, self._order(stack), hours=1)
            self._move(moved_to)
            if is_down:
                self.account.faults.add({"fault": "500", "times": None, "on": {"method": "POST"}})
            ((_, due),) = schedules(stack)
            return due

        return self._scenario("perform_action", prepare)

    def _scenario(self, function: str, prepare: Request, *, refused: int | None = None) -> Scenario:
        return Scenario(
            function=function,
            prepare=prepare,
            then=self._go_on,
            elsewhere=self._what_was_done,
            refused=refused,
        )

    def _order(self, stack: Stack) -> str:
        """The id of an order that was polled."""
        self.account.reset()
        stack.apply(Connection(id=CHARGE, provider="spirii", base_url=self.sandboxes.url(CHARGE)))
        stack.keep_secret("ApiCredentials", {CHARGE: self.account.connection.credentials})
        self.id = self.account.create_order({"at": format_instant(YESTERDAY)})["id"]
        poll(stack)
        return f"{CHARGE}:{self.id}:{self.id}"

    def _plan(self, stack: Stack, order: str, *, hours: int) -> None:
        asked = request("POST", f"/orders/{order}/actions/fulfill", {"at": in_hours(hours)})
        asked["headers"]["idempotency-key"] = "the-plan-before"
        assert load(stack, "orders_api", at=LATELY).handler(asked, Context())["statusCode"] == 200

    def _move(self, status: str | None) -> None:
        if status is not None:
            change = {"status": status, "webhook": False, "at": format_instant(LATELY)}
            self.account.move_order(self.id, change)

    def _go_on(self, stack: Stack, at: datetime) -> None:
        """The provider is available again, each schedule fires, and the next poll finds all
        changes.
        """
        self.account.faults.clear()
        planned = load(stack, "perform_action", at=at)
        for name, due in schedules(stack):
            planned.handler(due, Context())
            aws("scheduler").delete_schedule(Name=name, GroupName=group_of(stack))
        poll(stack)

    def _what_was_done(self) -> list[Mapping[str, Any]]:
        return [{**one, "at": None} for one in self.account.actions]


def load(stack: Stack, function: str, *, at: datetime) -> ModuleType:
    app = stack.load(function)
    vars(app)["datetime"] = clock_at(at)
    return app


def poll(stack: Stack) -> None:
    answer = stack.load("poll_orders").handler({"connection": CHARGE}, Context())
    assert answer["outcome"] == "complete"


def group_of(stack: Stack) -> str:
    return stack.resources["ActionSchedules"]


def schedules(stack: Stack) -> list[tuple[str, dict[str, Any]]]:
    """Name and input of each planned action."""
    scheduler, group = aws("scheduler"), group_of(stack)
    names = [one["Name"] for one in scheduler.list_schedules(GroupName=group)["Schedules"]]
    found = [scheduler.get_schedule(Name=name, GroupName=group) for name in names]
    return [(one["Name"], json.loads(one["Target"]["Input"])) for one in found]


def in_hours(hours: int) -> str:
    return format_instant(TODAY + timedelta(hours=hours))
