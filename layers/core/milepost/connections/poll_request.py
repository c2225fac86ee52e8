"""A request for a poll. Short: polls, health and operations share it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PollRequest:
    """A request for a poll, stored until a complete poll that began after it.

    The next poll of the connection fulfils it, whether by schedule or by request.
    """

    id: str
    requested_at: datetime
    since: datetime | None = None
    """The time since which everything is read again; None for only new changes."""
    announce: bool = False
    failed_at: datetime | None = None
    """When a poll for this request last failed; the next poll tries again."""
