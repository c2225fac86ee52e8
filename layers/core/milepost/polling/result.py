"""The result of a poll. Short: the poll, its pages and its function share it."""

from dataclasses import dataclass
from enum import StrEnum


class PollOutcome(StrEnum):
    """How a poll ended."""

    COMPLETE = "complete"
    UNCHANGED = "unchanged"
    PAUSED = "paused"
    FAILED = "failed"
    WAITING = "waiting"
    LEASED = "leased"


@dataclass(slots=True)
class PollResult:
    """How a poll ended, and its counts.

    ``quarantined`` counts the orders that this poll has quarantined: an order that is repeated
    unchanged isn't quarantined again.
    """

    outcome: PollOutcome = PollOutcome.COMPLETE
    pages: int = 0
    orders: int = 0
    changed: int = 0
    recorded: int = 0
    quarantined: int = 0
    error: str | None = None
