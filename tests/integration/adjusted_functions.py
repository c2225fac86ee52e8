"""Replaces parts of a loaded function with those of a test."""

from dataclasses import replace
from datetime import datetime
from types import ModuleType
from typing import Any

from milepost.common.side_by_side import in_turn
from milepost.notifications.endpoints.aws.http import EndpointHttp


def use_one_thread(app: ModuleType) -> None:
    """Make ``poll_orders`` and ``record_report`` record orders one after another.

    Calls are then made in the same order in each run, also in a copy of the process, which has no
    other thread.
    """
    for name in {"scheduled", "deliveries"} & vars(app).keys():
        vars(app)[name] = replace(vars(app)[name], side_by_side=in_turn)


def use_clock(app: ModuleType, clock: type[datetime]) -> None:
    """Make a function use this clock; a function without a clock is unchanged."""
    if hasattr(app, "datetime"):
        vars(app)["datetime"] = clock


def replace_caller(app: ModuleType, **changes: Any) -> None:
    """Replace drivers of ``call_endpoint``'s caller."""
    vars(app)["calls"] = replace(app.calls, caller=replace(app.calls.caller, **changes))


def allow_this_machine(app: ModuleType, **changes: Any) -> None:
    """Allow ``call_endpoint`` to call endpoints on this machine."""
    replace_caller(app, http=EndpointHttp(allow_private=True, seconds=10), **changes)
