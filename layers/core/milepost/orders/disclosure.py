"""Disclosure: which texts of a provider may be sent by SNS and to endpoints.

Subscribers may be outside the team, and may store what they get. Messages are therefore built from
a fixed list of fields (``payload.topic_message``), and each field with a provider's own text is
checked here. A text that may name the customer is not sent; only the order shows it.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final

from milepost.orders.details import Details

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
_SHORTEST_NAME: Final = 3
_SHORTEST_VALUE: Final = 4
_WORD: Final = re.compile(r"[^\W_]+")
_CONTACT: Final = re.compile(
    # An email or web address, as many digits as in a phone number or code, or a person's title.
    r"@|https?:|www\.|(?:\d[\s./()+-]*){5,}"
    r"|\b(?:mr|mrs|ms|miss|mx|dr|prof|herrn?|frau|hr|fru)\b\.?\s+\w",
    re.IGNORECASE,
)
_LABEL: Final = re.compile(r"[^\W_](?:[\w .,:/&-]|\((?=\D)|\+(?=\D)|\)){0,63}")
"""Letters, digits and plain punctuation, but nothing that starts like a phone number."""
_NAMING: Final = ("customer", "installer", "person")
"""Facts in which each word may name a person."""
_NOT_PERSONAL: Final = frozenset(
    {
        *("reason", "reason_source", "cause", "notes", "action", "result", "outcome"),
        *("service_type", "offer", "track", "reference", "delivery_state", "acknowledged"),
        *("installation_type", "meter_phase", "onboarding_flow"),
    }
)
"""Facts that name no person, or are free text themselves: a reason may repeat them."""
_COARSE: Final = frozenset(
    {"city", "region", "country", "kind", "status", "currency", "type", "model"}
)
"""Parts of facts that many customers share: a reason may say that a town is not served."""


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
    """The same for a reference, which may contain a customer's name."""
    label = label_to_disclose(text)
    names = {word for said in _texts(details.get("customer")) for word in _words(said)}
    names = {word for word in names if not any(c.isdigit() for c in word)}
    return None if label is None or names & _words(label) else label


def status_to_disclose(text: str | None, details: Details) -> str | None:
    """The same for a provider's status; an unknown status may be any text."""
    label = label_of_nobody(text, details)
    return None if label is None or _CONTACT.search(label) else label


def names_somebody(text: str, details: Details) -> bool:
    """Whether a text looks like contact data, or contains something that the order knows of a
    person.

    It finds what the order's own facts contain, in any case and with any punctuation. It can't find
    a person whom the provider names without a title and who appears nowhere else in the order.
    """
    return _CONTACT.search(text) is not None or _names_known(text, details)


def _names_known(text: str, details: Details) -> bool:
    if any(_words(name) & _words(text) for name in _names(details)):
        return True
    squeezed = _squeezed(text)
    values = {_squeezed(value) for value in _values(details)}
    return any(value in squeezed for value in values if len(value) >= _SHORTEST_VALUE)


def _names(details: Details) -> Iterator[str]:
    facts: Mapping[str, Any] = details
    for name in _NAMING:
        yield from _texts(facts.get(name))


def _values(details: Details) -> Iterator[str]:
    facts: Mapping[str, Any] = details
    for name, value in facts.items():
        if name not in _NOT_PERSONAL:
            yield from _texts(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, part in value.items():
            if name not in _COARSE:
                yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)


def _is_in_notes(reason: str, details: Details) -> bool:
    """Whether the reason consists of notes: earlier versions stored such reasons without a mark."""
    notes = "\n".join(note.get("text", "") for note in details.get("notes", []))
    return any(line and line in notes for line in reason.splitlines())


def _plain(text: str) -> str:
    """The text normalised: case, width of characters and accents don't count."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _words(text: str) -> set[str]:
    return {word for word in _WORD.findall(_plain(text)) if len(word) >= _SHORTEST_NAME}


def _squeezed(text: str) -> str:
    return "".join(_WORD.findall(_plain(text)))


KINDS_OF_EXPLAINING_NOTES: Final = frozenset({"next_steps", "special_instructions", "other"})
"""Kinds of notes that may explain a rejection to people; the others are about people and accounts.
No note is ever sent by SNS or to an endpoint."""
