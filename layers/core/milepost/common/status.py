"""The canonical status of an order, and how providers' raw statuses are compared."""

from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """The canonical status of an order, in the usual order of its lifecycle.

    ``UNKNOWN`` is where an order starts of which nothing understandable has been said yet. No
    report carries it: one whose raw status is not in the provider's table has status ``None``.
    """

    UNKNOWN = "unknown"
    PENDING = "pending"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    ACTIVE = "active"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def rank(self) -> int:
        """The position in the lifecycle, which orders two reports of the same instant."""
        return _RANKS[self]


_RANKS: Final = {status: rank for rank, status in enumerate(Status)}


class StageLevel(StrEnum):
    """The kind of status that a finished stage is about: the canonical status, the raw status, or
    both.
    """

    BOTH = "both"
    """A canonical status that had one raw status for its whole time."""
    STATUS = "status"
    """A canonical status that had several raw statuses, one after the other."""
    RAW_STATUS = "raw"
    """One of several raw statuses of a canonical status."""


def normal_form(word: str) -> str:
    """A form that all spellings of one word have in common: case and white space are ignored."""
    return " ".join(word.split()).casefold()


def is_same_word(one: str | None, other: str | None) -> bool:
    """Whether two raw statuses are the same word; None is only equal to None."""
    if one is None or other is None:
        return one is other
    return one == other or normal_form(one) == normal_form(other)
