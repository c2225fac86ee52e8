"""The canonical status of an order: one vocabulary for settings, orders and mails."""

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
