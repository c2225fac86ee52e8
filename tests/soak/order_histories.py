"""The histories of a soak's orders: what each provider reports about one order, in order."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final, TypeAlias

Move: TypeAlias = Mapping[str, Any]

_DAYS: Final = ("2031-03-12", "2031-04-02", "2031-05-21", "2031-06-18")

_LIVES: Final[Mapping[str, Sequence[Sequence[str]]]] = {
    "offergrid": (
        ("submitted_to_provider", "accepted", "scheduled", "in_progress", "completed", "active"),
        ("submitted_to_provider", "accepted", "in_progress", "completed"),
        ("submitted_to_provider", "accepted", "scheduled", "scheduled", "in_progress", "failed"),
        ("submitted_to_provider", "accepted", "cancelled"),
        ("submitted_to_provider", "rejected"),
    ),
    "spirii": (
        ("Scheduled", "Fulfilled"),
        ("Scheduled", "Scheduled", "Fulfilled"),
        ("Scheduled", "Cancelled"),
        ("Fulfilled",),
        ("Cancelled",),
    ),
    "subs": (
        (
            "Inspection Initiated",
            "Contract Generated",
            "Connection Fee Generated",
            "Installation Initiated",
            "Completed",
        ),
        ("Inspection Initiated", "Inspection Failed"),
        ("Inspection Initiated", "Contract Generated", "Connection Fee Generated"),
    ),
    "rabot": (
        ("Processing", "PendingDelivery", "Delivery", "Cancelled"),
        ("Processing", "Denied", "Processing", "PendingDelivery", "Delivery"),
        ("Processing", "Revoked"),
        ("Rejected",),
        ("Processing", "PendingDelivery", "PendingDelivery", "Delivery"),
    ),
}
_WITH_A_DATE: Final = frozenset({"scheduled", "Scheduled", "PendingDelivery"})
_WITH_A_REASON: Final = frozenset(
    {"rejected", "cancelled", "failed", "Cancelled", "Rejected", "Denied", "Inspection Failed"}
)


def make_life(provider: str, rng: Random) -> list[Move]:
    """The moves of one order's history, in the form of its sandbox."""
    days = iter(rng.sample(_DAYS, len(_DAYS)))
    return [_move(status, days) for status in rng.choice(_LIVES[provider])]


def _move(status: str, days: Any) -> Move:
    move: dict[str, Any] = {"status": status}
    if status in _WITH_A_DATE:
        move["scheduledFor"] = f"{next(days)}T09:00:00.000Z"
    if status in _WITH_A_REASON:
        move["reason"] = "Outside the service area"
    return move
