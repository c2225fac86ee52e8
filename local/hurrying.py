"""Polls more often than EventBridge Scheduler can, for orders that live faster than life."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from local.access import Access

_PAUSE_SECONDS: Final = 3.0


@contextmanager
def hurried_polls(access: Access) -> Iterator[None]:
    """Run the target of every schedule every three seconds while the block runs.

    The shortest schedule is one minute, in which an order of the demo changes several times.
    """
    stopped = threading.Event()
    thread = threading.Thread(target=_poll, args=(access, stopped), name="polls", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _poll(access: Access, stopped: threading.Event) -> None:
    scheduler, functions = access.client("scheduler"), access.client("lambda")
    while not stopped.wait(_PAUSE_SECONDS):
        try:
            _run_schedules(scheduler, functions, stopped)
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
