"""The stages of each provider's process, by its raw statuses.

Canonical statuses are coarser than raw ones: two milestones of SUBS are ``accepted``. How long a
stage may last, what comes next, and who has to act depend on the raw status. For a raw status that
isn't listed here, they follow from the canonical status (``deadlines``, ``next_steps``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from milepost.common.status import normal_form

_DAY: Final = timedelta(days=1)


class Allowed(StrEnum):
    """An allowed time that is not a number of days."""

    TRACK = "track"
    """As long as the order's track lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStage:
    """One raw status: how long it may last, and how it ends.

    ``acts`` is who has to act next, ``step`` what they have to do, as a sentence. None if nothing
    more is known than the canonical status.
    """

    allowed: timedelta | Allowed | None = None
    acts: str | None = None
    step: str | None = None
    signs: bool = False
    """Whether the customer has a contract to sign in this stage."""


_NOTHING: Final = ProviderStage()

STAGES: Final[Mapping[str, Mapping[str, ProviderStage]]] = {
    "rabot": {
        # Source: RABOT's lifecycle guide: "communication with grid operator and previous supplier
        # is ongoing; a few days up to a couple of weeks".
        "Processing": ProviderStage(
            allowed=14 * _DAY,
            acts="grid operator and previous supplier",
            step="The grid operator and the previous supplier answer; RABOT confirms or rejects.",
        ),
        "PendingDelivery": ProviderStage(
            acts="provider", step="The contract is confirmed; RABOT names the date of the start."
        ),
    },
    "spirii": {
        # Source: Spirii's guide: Pending is "somewhere in installation or activation", so it lasts
        # as long as the whole installation does.
        "Pending": ProviderStage(
            allowed=Allowed.TRACK,
            acts="installation partner",
            step="The charge box is installed; then a time is set for its activation.",
        ),
    },
    "subs": {
        # Source: the staff guide, milestone by milestone. It gives no times; the project chose
        # those
        # of the installation and the inspection (docs/providers/subs.md).
        "Application Fee Generated": ProviderStage(
            acts="customer", step="The customer pays the application fee."
        ),
        "Inspection Initiated": ProviderStage(
            allowed=7 * _DAY,
            acts="estimator",
            step="The estimator inspects the site; the inspection is approved or fails.",
        ),
        "Contract Generated": ProviderStage(
            acts="customer",
            step="The customer signs the contract with the authorization code; the CRE sends it "
            "again if it is missing.",
            signs=True,
        ),
        "Connection Fee Generated": ProviderStage(
            acts="customer", step="The contract is signed; the customer pays the connection fee."
        ),
        "Installation Initiated": ProviderStage(
            allowed=7 * _DAY,
            acts="DTO",
            step="The DTO assigns the installation; the installer installs the meter.",
        ),
    },
}
"""By provider and raw status. Not every provider or status is listed."""

_BY_NORMAL_FORM: Final = {
    provider: {normal_form(word): stage for word, stage in stages.items()}
    for provider, stages in STAGES.items()
}


_SIGNING: Final = frozenset(
    word for stages in _BY_NORMAL_FORM.values() for word, stage in stages.items() if stage.signs
)


def awaits_signature(raw_status: str | None, fees: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the customer still has to sign: in the raw status of the contract, before a
    connection fee is charged, since the fee follows the signature.

    Source: SUBS's staff guide: the code is for signing the contract; the connection fee follows.
    """
    is_signed = any(one.get("kind") == "connection_fee" for one in fees)
    return normal_form(raw_status or "") in _SIGNING and not is_signed


def stage_of(provider: str, raw_status: str | None) -> ProviderStage:
    """The stage of a raw status; an empty one if the raw status isn't listed."""
    return _BY_NORMAL_FORM.get(provider, {}).get(normal_form(raw_status or ""), _NOTHING)
