"""The lease: the right to poll one connection, and what is stored when a poll ends."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from milepost.polling.state import PollState, Progress, Validator


class LeaseHeld(Exception):
    """Another poll of this connection is at work."""


class Lease(Protocol):
    """The right to poll one connection for a while; every write checks that it still holds."""

    state: PollState
    is_memory_sound: bool
    """Whether what polls remember agrees with what they recorded. While it is False, whoever polls
    next finds it in ``state`` and begins without a memory."""
    requested_meanwhile: bool
    """After ``succeed``: whether requests are left that this poll did not do."""

    def pause(self, progress: Progress) -> None: ...
    def succeed(
        self,
        *,
        cursor: datetime | None,
        validator: Validator | None,
        at: datetime,
        done: Sequence[str] = (),
    ) -> None:
        """End a complete poll. Without a validator the last one is forgotten.

        :param done: ids of the requests that it has done, which are removed
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
