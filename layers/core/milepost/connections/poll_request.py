"""A request for a poll. Short: polls, health and operations share it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PollRequest:
    """A request for a poll, kept until a complete poll that began after it.

    Whoever polls the connection next does it, whether by schedule or by request.
    """

    id: str
    requested_at: datetime
    since: datetime | None = None
    """From when on to read everything once more; None for what is new alone."""
    announce: bool = False
    failed_at: datetime | None = None
    """When a poll that was to do it failed last; the next poll tries again."""
