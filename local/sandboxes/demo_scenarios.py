"""The demo's scenarios: together they show every status of every provider.

A story starts with an order that was placed ``days_ago``. Each move is what
``Account.move_order`` takes; ``in_days`` stands for an appointment that many days from now, at some
hour of the day, ``in_hours`` for one at that very moment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

Move: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The scenario of one order: how it was created, then its moves."""

    days_ago: float
    fields: Mapping[str, Any] = field(default_factory=dict)
    moves: tuple[Move, ...] = ()


def _to(status: str, **more: Any) -> Move:
    return {"status": status, **more}


_SENT: Final = _to("submitted_to_provider")
_TAKEN: Final = _to(
    "accepted", providerNotes="Next steps: the provider calls to agree on an installation date."
)

OFFERGRID: Final = (
    Story(
        days_ago=2,
        fields={"items": [{"offerId": "off-nbn-1000"}]},
        moves=(
            _SENT,
            _TAKEN,
            _to(
                "scheduled",
                in_days=3,
                providerNotes="Customer contact: technician calls 30 minutes ahead.",
            ),
            _to("scheduled", in_days=5, providerNotes="Timeline: moved at the customer's wish."),
            _to("in_progress"),
            _to("completed", providerNotes="Account details: welcome letter is in the mail."),
            _to("active"),
        ),
    ),
    Story(
        days_ago=1,
        fields={
            "items": [{"offerId": "off-energy-flex"}, {"offerId": "off-tv-family"}],
            "address": {"unitNumber": None},
        },
        moves=(
            _SENT,
            _to("submitted_to_provider", item=1),
            _to("accepted", providerNotes="Timeline: supply starts within 3 to 7 days."),
            _to(
                "rejected",
                item=1,
                reason="Missing unit number",
                providerNotes="Special instructions: send the order again with the unit.",
            ),
            _to("completed", providerNotes="Account details: bills come by email."),
        ),
    ),
    Story(
        days_ago=4,
        fields={"items": [{"offerId": "off-alarm-24"}]},
        moves=(
            _SENT,
            _TAKEN,
            _to("scheduled", in_days=2),
            _to("in_progress"),
            _to("failed", reason="Customer not home", providerNotes="Next steps: a new date."),
        ),
    ),
    Story(
        days_ago=3,
        fields={"items": [{"offerId": "off-business-pro"}]},
        moves=(
            _SENT,
            _TAKEN,
            _to("scheduled", in_days=9),
            _to("cancelled", reason="Customer cancelled", providerNotes="Customer moves away."),
        ),
    ),
    Story(
        days_ago=1,
        fields={"items": [{"offerId": "off-contents"}]},
        moves=(_SENT, _TAKEN, _to("completed"), _to("active")),
    ),
    Story(
        days_ago=2,
        fields={"items": [{"offerId": "off-nbn-1000"}]},
        moves=(_SENT, _to("rejected", reason="Outside the service area")),
    ),
    Story(days_ago=9, fields={"items": [{"offerId": "off-tv-family"}]}),
    Story(
        days_ago=6,
        fields={"items": [{"offerId": "off-alarm-24"}]},
        moves=(_SENT, _TAKEN, _to("scheduled", in_days=8)),
    ),
    # People are reminded of the first two hours before, and hear of a delay of the second.
    Story(
        days_ago=5,
        fields={"items": [{"offerId": "off-nbn-1000"}]},
        moves=(_SENT, _TAKEN, _to("scheduled", in_hours=2.05)),
    ),
    Story(
        days_ago=7,
        fields={"items": [{"offerId": "off-tv-family"}]},
        moves=(_SENT, _TAKEN, _to("scheduled", in_hours=-5)),
    ),
    # Waits for its customer.
    Story(
        days_ago=6,
        fields={"items": [{"offerId": "off-alarm-24"}]},
        moves=(
            _SENT,
            _to("accepted", providerNotes="Customer contact: the customer can't be reached."),
        ),
    ),
    # An installation that fails, is scheduled again, and takes place.
    Story(
        days_ago=5,
        fields={"items": [{"offerId": "off-alarm-24"}]},
        moves=(
            _SENT,
            _to("scheduled", in_days=1),
            _to("failed", reason="Equipment not available"),
            _to("scheduled", in_days=6, providerNotes="Timeline: a new date was agreed."),
            _to("in_progress"),
            _to("completed"),
        ),
    ),
    # A multi-unit building takes the extended track.
    Story(
        days_ago=4,
        fields={"items": [{"offerId": "off-nbn-1000", "offerName": "Multi-unit internet"}]},
        moves=(_SENT, _TAKEN),
    ),
)
_DENIED: Final = "Vorversorger: Vertragsbindung bis Monatsende"
_NO_START: Final = {"actualDateOfDelivery": None, "deliveryState": {"startDate": None}}
RABOT: Final = (
    Story(
        days_ago=12,
        moves=(_to("Processing"), _to("PendingDelivery", in_days=9), _to("Delivery")),
    ),
    Story(
        days_ago=10,
        moves=(
            _to("Processing"),
            _to("Denied", reason=_DENIED),
            _to("Processing"),
            _to("PendingDelivery", in_days=12),
            _to("Delivery"),
        ),
    ),
    Story(
        days_ago=40,
        moves=(
            _to("Processing"),
            _to("PendingDelivery", in_days=1),
            _to("Delivery"),
            _to("Cancelled", reason="Kündigung durch den Kunden"),
        ),
    ),
    Story(days_ago=3, moves=(_to("Rejected", reason="Bonitätsprüfung nicht bestanden"),)),
    Story(days_ago=5, moves=(_to("Processing"), _to("Revoked", reason="Widerruf des Kunden"))),
    Story(days_ago=6, moves=(_to("Processing"), _to("Unspecified"), _to("Processing"))),
    Story(
        days_ago=1,
        fields={"maLoIdentifier": None, "meterNumber": None, "meLoIdentifier": None},
    ),
    Story(days_ago=2, fields={"maLoIdentifier": "12345678910"}, moves=(_to("Processing"),)),
    # The contract is confirmed before its start date is known.
    Story(
        days_ago=7,
        moves=(
            _to("Processing"),
            _to("PendingDelivery", set=_NO_START),
            _to("PendingDelivery", in_days=20),
        ),
    ),
    Story(
        days_ago=8,
        moves=(
            _to("Processing"),
            _to("PendingDelivery", in_days=14),
            _to("PendingDelivery", in_days=21),
        ),
    ),
)
_MILESTONES: Final = (
    _to("Inspection Initiated"),
    _to("Contract Generated"),
    _to("Connection Fee Generated"),
    _to("Installation Initiated"),
    _to("Completed"),
)
SUBS: Final = (
    Story(days_ago=21, moves=_MILESTONES),
    Story(
        days_ago=9,
        moves=(_MILESTONES[0], _to("Inspection Failed", reason="Earthing rod is missing")),
    ),
    Story(days_ago=15, fields={"meter_phase": "three_phase"}, moves=_MILESTONES[:3]),
    Story(days_ago=18, moves=_MILESTONES[:4]),
    Story(days_ago=5),
    Story(days_ago=12, moves=_MILESTONES[:2]),
    Story(days_ago=30, fields={"installation_type": "underground"}, moves=_MILESTONES),
)
_BOX_INSTALLED: Final = {
    "set": {"installation": {"partner": "Nordlys El", "initiated_at": "2026-01-05T08:00:00.000Z"}}
}
SPIRII: Final = (
    Story(
        days_ago=7,
        moves=(
            _BOX_INSTALLED,
            _to("Scheduled", in_days=2),
            _to("Scheduled", in_days=4),
            _to("Fulfilled"),
        ),
    ),
    Story(
        days_ago=4,
        moves=(_to("Scheduled", in_days=6), _to("Cancelled", reason="Customer cancelled")),
    ),
    Story(days_ago=2, moves=(_to("Fulfilled"),)),
    Story(days_ago=16),
    Story(days_ago=3, moves=(_BOX_INSTALLED, _to("Scheduled", in_days=9))),
    Story(days_ago=1, moves=(_to("Cancelled", reason="Ordered twice"),)),
    # The team is reminded to fulfil the first; the second is planned at Spirii; a payment fails.
    Story(days_ago=5, moves=(_BOX_INSTALLED, _to("Scheduled", in_hours=0.03))),
    Story(
        days_ago=5,
        moves=(
            _to("Scheduled", in_hours=0.03),
            {"set": {"fulfilment_scheduled_for": "2099-03-20T09:00:00.000Z"}},
        ),
    ),
    Story(
        days_ago=6,
        fields={"payment": {"kind": "credit_card", "status": "authorized"}},
        moves=(
            _to("Scheduled", in_days=1),
            _to("Fulfilled", set={"payment": {"status": "failed"}}),
        ),
    ),
    # An appointment far beyond what an activation usually takes.
    Story(days_ago=3, moves=(_BOX_INSTALLED, _to("Scheduled", in_days=75))),
)
SCENARIOS: Final[Mapping[str, tuple[Story, ...]]] = {
    "offergrid": OFFERGRID,
    "rabot": RABOT,
    "subs": SUBS,
    "spirii": SPIRII,
}
ENOUGH_ORDERS: Final = max(len(stories) for stories in SCENARIOS.values())
"""So many orders of an account lead every story of its provider at least once."""
