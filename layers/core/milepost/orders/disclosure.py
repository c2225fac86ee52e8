"""What may leave by SNS and to endpoints of a text that a provider wrote.

Whoever subscribes there may be anybody, and may keep what comes. So messages are built from a list
of fields (``payload.topic_message``), and of those that hold a provider's own words each is looked
at here: what may name the customer stays behind, and is shown with the order alone.
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
"""What a cause comes to in words, in place of a provider's that stay behind."""
WITHHELD: Final = "The provider's words are shown with the order alone: they may name the customer."
FROM_NOTES: Final = "notes"
"""The ``reason_source`` of a reason that an adapter took from a provider's notes."""

_LONGEST_REASON: Final = 500
_SHORTEST_NAME: Final = 3
_SHORTEST_VALUE: Final = 4
_WORD: Final = re.compile(r"[^\W_]+")
_CONTACT: Final = re.compile(
    # An email or web address, as many digits as a phone number or a code has, a person's title.
    r"@|https?:|www\.|(?:\d[\s./()+-]*){5,}"
    r"|\b(?:mr|mrs|ms|miss|mx|dr|prof|herrn?|frau|hr|fru)\b\.?\s+\w",
    re.IGNORECASE,
)
_LABEL: Final = re.compile(r"[^\W_](?:[\w .,:/&-]|\((?=\D)|\+(?=\D)|\)){0,63}")
"""Letters, digits and plain marks, but nothing that begins as phone numbers do."""
_NAMING: Final = ("customer", "installer", "person")
"""Facts of which each word may name somebody."""
_NOT_PERSONAL: Final = frozenset(
    {
        *("reason", "reason_source", "cause", "notes", "action", "result", "outcome"),
        *("service_type", "offer", "track", "reference", "delivery_state", "acknowledged"),
        *("installation_type", "meter_phase", "onboarding_flow"),
    }
)
"""Facts that name nobody, or are free text themselves: a reason may say the same."""
_COARSE: Final = frozenset(
    {"city", "region", "country", "kind", "status", "currency", "type", "model"}
)
"""Parts of facts that many share: a reason may say that a town is not served."""


def reason_to_disclose(details: Details, *, of_rejection: bool = False) -> str | None:
    """The provider's reason, if it names nobody; else what it comes to, in our own words.

    Notes are never disclosed, nor what an adapter took from them for a reason.

    :param of_rejection: a rejection has a reason in its own field, which notes may repeat; if
        notes alone say why, it is said that there is a reason
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
    """A provider's own word, as for a service; None if it is more than a few plain words."""
    return text if text is not None and _LABEL.fullmatch(text) else None


def label_of_nobody(text: str | None, details: Details) -> str | None:
    """The same for a reference, into which people may also write a customer's name."""
    label = label_to_disclose(text)
    names = {word for said in _texts(details.get("customer")) for word in _words(said)}
    names = {word for word in names if not any(c.isdigit() for c in word)}
    return None if label is None or names & _words(label) else label


def status_to_disclose(text: str | None, details: Details) -> str | None:
    """The same for a provider's status, which may be any text if it is an unknown one."""
    label = label_of_nobody(text, details)
    return None if label is None or _CONTACT.search(label) else label


def names_somebody(text: str, details: Details) -> bool:
    """Whether a text has the form of contact data, or something that the order knows of people.

    It finds what the order's own facts name, in any case and with any marks. Whoever a provider
    names without a title, and who stands nowhere else in the order, it can't find.
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
    """Whether it was put together of notes, as earlier versions stored it without saying so."""
    notes = "\n".join(note.get("text", "") for note in details.get("notes", []))
    return any(line and line in notes for line in reason.splitlines())


def _plain(text: str) -> str:
    """Without capitals, widths and accents."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _words(text: str) -> set[str]:
    return {word for word in _WORD.findall(_plain(text)) if len(word) >= _SHORTEST_NAME}


def _squeezed(text: str) -> str:
    return "".join(_WORD.findall(_plain(text)))


TELLING_WHY: Final = frozenset({"next_steps", "special_instructions", "other"})
"""Kinds of notes that may explain a rejection to people; the others are about people and accounts.
No note ever leaves by SNS or to an endpoint."""
