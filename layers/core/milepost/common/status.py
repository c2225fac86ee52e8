"""The canonical status of an order, and how providers' raw statuses are compared."""

from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """The canonical status of an order, in the order in which a life runs.

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
        """Place in a life; decides between two reports of the same instant."""
        return _RANKS[self]


_RANKS: Final = {status: rank for rank, status in enumerate(Status)}


class StageLevel(StrEnum):
    """What a finished stage is a stage of: the canonical status, the raw status, or both."""

    BOTH = "both"
    """A canonical status that had one raw status for its whole time."""
    STATUS = "status"
    """A canonical status that had several raw statuses, one after the other."""
    RAW_STATUS = "raw"
    """One of several raw statuses of a canonical status."""


def normal_form(word: str) -> str:
    """What two spellings of one word share: case and white space don't count."""
    return " ".join(word.split()).casefold()


def is_same_word(one: str | None, other: str | None) -> bool:
    """Whether two raw statuses are the same word; None is like no word but itself."""
    if one is None or other is None:
        return one is other
    return one == other or normal_form(one) == normal_form(other)
