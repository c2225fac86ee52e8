"""Polls every few seconds, more often than EventBridge Scheduler can, for the demo's orders."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from local.emulator_access import Access

_PAUSE_SECONDS: Final = 3.0
_EVERY: Final = 5
"""Of so many rounds of polls, one looks at deadlines as well."""


@contextmanager
def poll_frequently(access: Access, *, watch_deadlines: str) -> Iterator[None]:
    """Poll every connection every three seconds while the block runs, and check deadlines.

    The shortest schedule is one minute, in which an order of the demo changes several times.

    :param watch_deadlines: the name of that function
    """
    stopped = threading.Event()
    arguments = (access, watch_deadlines, stopped)
    thread = threading.Thread(target=_poll, args=arguments, name="polls", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _poll(access: Access, watch_deadlines: str, stopped: threading.Event) -> None:
    scheduler, functions = access.client("scheduler"), access.client("lambda")
    for number in count(1):
        if stopped.wait(_PAUSE_SECONDS):
            return
        try:
            _run_schedules(scheduler, functions, stopped)
            if number % _EVERY == 0:
                functions.invoke(FunctionName=watch_deadlines, Payload=b"{}")
        except (BotoCoreError, ClientError):
            # The emulator may be leaving; the schedules themselves go on as declared.
            continue


def _run_schedules(scheduler: Any, functions: Any, stopped: threading.Event) -> None:
    for page in scheduler.get_paginator("list_schedules").paginate():
        for entry in page["Schedules"]:
            if stopped.is_set() or entry.get("State") == "DISABLED":
                continue
            schedule = scheduler.get_schedule(Name=entry["Name"], GroupName=entry["GroupName"])
            target = schedule["Target"]
            if "connection" in target.get("Input", ""):
                functions.invoke(FunctionName=target["Arn"], Payload=target["Input"].encode())
