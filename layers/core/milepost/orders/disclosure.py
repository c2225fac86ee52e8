"""Disclosure: which texts of a provider may be sent by SNS and to endpoints.

Subscribers may be outside the team, and may store what they get. Messages are therefore built from
a fixed list of fields (``payload.topic_message``), and each field with a provider's own text is
checked here. A text that may name the customer is not sent; only the order shows it.
"""

import re
from collections.abc import Mapping
from typing import Final

from milepost.orders.details import Details
from milepost.orders.naming import looks_like_contact, names_customer, names_somebody

CAUSES: Final[Mapping[str, str]] = {
    "credit_check": "A check by the provider was not passed.",
    "meter_data": "The meter or market location number is missing or not known.",
    "existing_contract": "The customer has a contract with another supplier.",
    "missing_unit_number": "The address lacks a unit number.",
    "outside_service_area": "The address is outside of the service area.",
    "invalid_address": "The address is not valid.",
    "customer_not_home": "The customer was not at home.",
    "customer_unreachable": "The customer could not be reached.",
    "customer_cancelled": "The customer cancelled.",
    "customer_revoked": "The customer revoked the order.",
    "equipment_not_available": "Equipment is not available.",
    "installation_complications": "The installation met with complications.",
    "service_interruption": "The service is interrupted.",
}
"""The text for each cause, sent in place of a provider's text that may not be disclosed."""
WITHHELD: Final = "The provider's words are shown with the order alone: they may name the customer."
FROM_NOTES: Final = "notes"
"""The ``reason_source`` of a reason that an adapter took from a provider's notes."""

_LONGEST_REASON: Final = 500
_LABEL: Final = re.compile(r"[^\W_](?:[\w .,:/&-]|\((?=\D)|\+(?=\D)|\)){0,63}")
"""Letters, digits and plain punctuation, but nothing that starts like a phone number."""


def reason_to_disclose(details: Details, *, of_rejection: bool = False) -> str | None:
    """The provider's reason if it names no person; else our own text for its cause.

    Notes are never disclosed, nor a reason that an adapter took from them.

    :param of_rejection: a rejection has its reason in a field of its own, which notes may repeat;
        if only notes give a reason, the text says that there is one
    """
    reason = details.get("reason")
    if reason is None:
        unsaid = WITHHELD if of_rejection and details.get("notes") else None
        return CAUSES.get(details.get("cause", ""), unsaid)
    is_from_notes = details.get("reason_source") == FROM_NOTES or (
        not of_rejection and _is_in_notes(reason, details)
    )
    if is_from_notes or len(reason) > _LONGEST_REASON or names_somebody(reason, details):
        return CAUSES.get(details.get("cause", ""), WITHHELD)
    return reason


def label_to_disclose(text: str | None) -> str | None:
    """A provider's own label, such as a service; None if it is more than a few plain words."""
    return text if text is not None and _LABEL.fullmatch(text) else None


def label_of_nobody(text: str | None, details: Details) -> str | None:
    """The same for a reference, which may contain a customer's name or phone number."""
    label = label_to_disclose(text)
    return None if label is None or names_customer(label, details) else label


def status_to_disclose(text: str | None, details: Details) -> str | None:
    """The same for a provider's status; an unknown status may be any text."""
    label = label_of_nobody(text, details)
    return None if label is None or looks_like_contact(label) else label


def _is_in_notes(reason: str, details: Details) -> bool:
    """Whether the reason consists of notes: earlier versions stored such reasons without a mark."""
    notes = "\n".join(note.get("text", "") for note in details.get("notes", []))
    return any(line and line in notes for line in reason.splitlines())


KINDS_OF_EXPLAINING_NOTES: Final = frozenset({"next_steps", "special_instructions", "other"})
"""Kinds of notes that may explain a rejection to people; the others are about people and accounts.
No note is ever sent by SNS or to an endpoint."""
