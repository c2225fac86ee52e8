"""Runs tasks in parallel: while some wait for a response of AWS, others run."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cached_property
from typing import Protocol

Task = Callable[[], object]


class SideBySide(Protocol):
    """Runs tasks, and returns when all have ended. After an error, no further task is started.

    :raises BaseException: what the first of these tasks raised, in their order
    """

    def __call__(self, tasks: Sequence[Task], /) -> None: ...


def in_turn(tasks: Sequence[Task], /) -> None:
    """Runs one task after the other. Implements ``SideBySide``."""
    for task in tasks:
        task()


class Threads:
    """Runs several tasks at a time, in this thread and in others that are reused. Implements
    ``SideBySide``.

    :param most: how many tasks run at a time
    """

    def __init__(self, most: int) -> None:
        self._most = most

    @cached_property
    def _workers(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._most, thread_name_prefix="side-by-side")

    def __call__(self, tasks: Sequence[Task], /) -> None:
        waiting = deque(enumerate(tasks))
        errors: dict[int, BaseException] = {}

        def run() -> None:
            # Handing over each task by itself would take as long as a small task does.
            while not errors:
                try:
                    place, task = waiting.popleft()
                except IndexError:
                    return
                try:
                    task()
                except BaseException as error:
                    errors[place] = error

        others = [self._workers.submit(run) for _ in range(min(self._most, len(tasks)) - 1)]
        run()
        wait(others)
        if errors:
            raise errors[min(errors)]
