"""Runs tasks side by side: while some wait for an answer of AWS, others work."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cached_property
from threading import Event
from typing import Protocol

Task = Callable[[], object]


class SideBySide(Protocol):
    """Runs tasks, and returns when none is running any more. After an error, no task is started.

    :raises BaseException: what the first of these tasks raised, in their order
    """

    def __call__(self, tasks: Sequence[Task], /) -> None: ...


def in_turn(tasks: Sequence[Task], /) -> None:
    """One task after the other. Implements ``SideBySide``."""
    for task in tasks:
        task()


class Threads:
    """Several tasks at a time, in threads that are kept. Implements ``SideBySide``.

    :param most: how many tasks run at a time
    """

    def __init__(self, most: int) -> None:
        self._most = most

    @cached_property
    def _workers(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._most, thread_name_prefix="side-by-side")

    def __call__(self, tasks: Sequence[Task], /) -> None:
        if len(tasks) == 1:
            in_turn(tasks)
            return
        has_failed = Event()

        def run(task: Task) -> None:
            if has_failed.is_set():
                return
            try:
                task()
            except BaseException:
                has_failed.set()
                raise

        futures = [self._workers.submit(run, task) for task in tasks]
        wait(futures)
        for future in futures:
            future.result()
