"""Reads side by side, done one after the other.

A copy of a process (``forks``) has only the thread that made it. If another thread held a lock at
that moment, the copy waits for it for ever. So where a copy is made in the middle of a function's
run, that function has one thread.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest


def in_one_thread(patch: pytest.MonkeyPatch) -> None:
    """Have every thread pool do its work at once, in the thread that hands it over."""
    patch.setattr(ThreadPoolExecutor, "submit", _submit)


def _submit(
    _: ThreadPoolExecutor, work: Callable[..., Any], /, *values: Any, **named: Any
) -> Future[Any]:
    done: Future[Any] = Future()
    try:
        done.set_result(work(*values, **named))
    except BaseException as failed:
        done.set_exception(failed)
    return done
