"""The time that a poll keeps in reserve. Short: three numbers, apart from the code that uses them.

How long an invocation may take at most is ``Timeout`` of ``PollOrdersFunction`` in template.yaml. A
poll that has too little left pauses; the next one continues where it ended.
"""

from collections.abc import Callable
from typing import Final

RemainingTime = Callable[[], int]
"""Milliseconds that the invocation has left, as the Lambda context gives them."""

SPARE_FOR_PAGE: Final = 100_000
"""Remaining milliseconds that are needed for one more page: a request that hangs, and its
changes."""
SPARE_FOR_ORDER: Final = 30_000
"""Remaining milliseconds that are needed for one more order, and to save the progress."""
MOST_POLLS: Final = 5
"""Maximum number of polls in one invocation: its own, and those for requests that arrived
meanwhile."""
