"""The lease: the right to poll one connection, and what is stored when a poll ends."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from milepost.polling.state import PollState, Progress, Validator

LEASE_MARGIN: Final = timedelta(seconds=5)
"""How long a lease outlives the invocation, whose end is known to a second."""


def lease_duration(remaining: int) -> timedelta:
    """How long a lease lasts: until the invocation has ended.

    :param remaining: milliseconds that the invocation has left
    """
    return timedelta(milliseconds=remaining) + LEASE_MARGIN


class LeaseHeld(Exception):
    """Another poll of this connection is in progress."""


class Lease(Protocol):
    """The right to poll one connection for a limited time; every write checks that it is still
    held."""

    state: PollState
    is_memory_sound: bool
    """Whether the memory of polls agrees with what they recorded. If False, the next poll reads
    this in ``state`` and starts without memory."""
    requested_meanwhile: bool
    """After ``succeed``: whether there are requests left that this poll did not fulfil."""

    def pause(self, progress: Progress) -> None: ...
    def succeed(
        self,
        *,
        cursor: datetime | None,
        validator: Validator | None,
        at: datetime,
        done: Sequence[str] = (),
    ) -> None:
        """End a complete poll. Without a validator, the previous one is removed.

        :param done: ids of the requests that it has fulfilled, which are removed
        """
        ...

    def fail(
        self, *, error: str, at: datetime, not_before: datetime | None, starts_over: bool = False
    ) -> None:
        """End a failed poll. The requests in ``state`` stay, with the time of the failure.

        :param starts_over: whether the next poll begins at the first page, also after a pause
        """
        ...

    def give_back(self) -> None: ...
