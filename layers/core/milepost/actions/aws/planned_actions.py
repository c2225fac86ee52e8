"""Runs planned actions when they are due, and logs and counts the results."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from milepost.actions.action import REFRESH, PlannedCall
from milepost.actions.aws.context import ActionTools
from milepost.actions.aws.scheduler import planned_call
from milepost.actions.contact_fetching import fetch_contact
from milepost.actions.perform import close_planned, run_planned
from milepost.connections.connection import UnknownConnection
from milepost.orders.action_results import ActionDone
from milepost.orders.details import Result

logger = logging.getLogger(__name__)

CONNECTION_REMOVED: Final = "its connection is no longer applied"
NOTHING: Final = "nothing"
"""The result when there was nothing to do, or nothing can be done any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedActions:
    """Runs the actions that schedules name."""

    tools: ActionTools
    count_failure: Callable[[], None]
    """Counts an action that failed, for the alarm."""

    def run(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Run the action of a schedule's event (``scheduler.schedule_input``); returns its result.

        The action ``refresh`` means that a notice waits for the order's contact data: the order is
        fetched.
        """
        call = planned_call(event)
        result = self._fetch(call) if call.action == REFRESH else self._perform(call)
        return {"order": call.order.path_id, "action": call.action, "result": result}

    def _perform(self, call: PlannedCall) -> str:
        done = self._run_or_close(call)
        result = str(done.result) if done else NOTHING
        if result != Result.DONE:
            # A credential that was just replaced is read again before the next attempt.
            self.tools.forget_credentials()
        failed = done is not None and (done.result is Result.FAILED or done.answered is not None)
        if failed:
            self.count_failure()
        logger.log(
            logging.ERROR if failed else logging.INFO,
            "performed",
            extra={"order": call.order.path_id, "action": call.action, "result": result},
        )
        return result

    def _run_or_close(self, call: PlannedCall) -> ActionDone | None:
        """Run the planned action; if its connection was removed in the meantime, close the plan."""
        try:
            return run_planned(call, tools=self.tools.for_order(call.order))
        except UnknownConnection:
            removed = self.tools.for_order_of_removed(call.order)
            return close_planned(call, why=CONNECTION_REMOVED, tools=removed) if removed else None

    def _fetch(self, call: PlannedCall) -> str:
        """Fetch an order without any data of its customer."""
        try:
            result = fetch_contact(call, tools=self.tools.for_order(call.order))
        except UnknownConnection:
            result = NOTHING
        if result not in ("fetched", "known"):
            self.tools.forget_credentials()
        logger.info(
            "fetched for contact data", extra={"order": call.order.path_id, "result": result}
        )
        return result
