"""Disclosure: which texts of a provider may be sent to SNS, to endpoints, and to chats.

Subscribers may be outside the team, and may store what they get. Messages are therefore built from
a fixed list of fields (``announcement_message.topic_message``), and a provider's own text is in
none of them unless it is one of a few words. Why an order ended is said by its cause, in our own
words.
"""

import re
from collections.abc import Mapping
from typing import Final

from milepost.orders.details import Details, cause_in
from milepost.orders.personal_data_in_texts import (
    looks_like_contact,
    names_customer,
    names_somebody,
)

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
"""The text for each cause, sent in place of the provider's."""
WITHHELD: Final = "The provider's words are shown with the order alone: they may name the customer."
FROM_NOTES: Final = "notes"
"""The ``reason_source`` of a reason that an adapter took from a provider's notes."""
WITHHELD_SOURCE: Final = "withheld"
"""The ``reason_source`` of a text of ours that replaces the provider's reason, in chats."""

_LONGEST_REASON: Final = 500
_LABEL: Final = re.compile(r"[^\W_](?:[\w .,:/&-]|\((?=\D)|\+(?=\D)|\)){0,63}")
"""Letters, digits and plain punctuation, but nothing that starts like a phone number."""


def reason_to_disclose(details: Details, *, of_rejection: bool = False) -> str | None:
    """The reason why the order ended, for programs: Milepost's own text for its cause.

    The provider's words are never in it: no rule finds every person in a free text.

    :param of_rejection: a rejection's notes may be its reason; then the text says that there is one
    :return: ``WITHHELD`` for a reason without a known cause; None without any reason
    """
    has_reason = details.get("reason") is not None or (of_rejection and bool(details.get("notes")))
    return CAUSES.get(cause_in(details) or "", WITHHELD if has_reason else None)


def reason_for_colleagues(details: Details, *, of_rejection: bool = False) -> str | None:
    """The provider's reason, for readers who may know the customer's name; None if it contains
    contact data, or other personal data of the order.

    It may name a person of whom the order knows nothing. Notes are never disclosed, nor a reason
    that an adapter took from them.

    :param of_rejection: a rejection has its reason in a field of its own, which notes may repeat
    """
    reason = details.get("reason")
    if reason is None or len(reason) > _LONGEST_REASON:
        return None
    is_from_notes = details.get("reason_source") == FROM_NOTES or (
        not of_rejection and _is_in_notes(reason, details)
    )
    return None if is_from_notes or names_somebody(reason, details) else reason


def label_to_disclose(text: str | None) -> str | None:
    """A provider's own label, such as a service; None if it is more than a few plain words."""
    return text if text is not None and _LABEL.fullmatch(text) else None


def label_of_nobody(text: str | None, details: Details) -> str | None:
    """The same for a reference, which may contain a customer's name or phone number."""
    label = label_to_disclose(text)
    return None if label is None or names_customer(label, details) else label


def status_to_disclose(text: str | None, details: Details) -> str | None:
    """The same for the provider's word for a status that we know."""
    label = label_of_nobody(text, details)
    return None if label is None or looks_like_contact(label) else label


def _is_in_notes(reason: str, details: Details) -> bool:
    """Whether the reason consists of notes, which earlier versions stored without marking them."""
    notes = "\n".join(note.get("text", "") for note in details.get("notes", []))
    return any(line and line in notes for line in reason.splitlines())


KINDS_OF_EXPLAINING_NOTES: Final = frozenset({"next_steps", "special_instructions", "other"})
"""Kinds of notes that may explain a rejection to people; the others are about people and accounts.
No note is ever sent by SNS or to an endpoint."""
