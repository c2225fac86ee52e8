"""Waits for conditions, and never for a fixed time."""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")
PATIENCE_SECONDS = 60.0


def wait_for(
    condition: Callable[[], Result | None],
    *,
    what: str,
    show: Callable[[], object] = lambda: "",
    seconds: float = PATIENCE_SECONDS,
) -> Result:
    """Check repeatedly until the condition is true, up to a deadline."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what} {show()}"
        time.sleep(0.2)
    return result
