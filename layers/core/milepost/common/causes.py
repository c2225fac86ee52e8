"""Causes: why an order was rejected, failed or was cancelled, as one of a list of words.

A provider gives its reason as free text. The cause classifies it: it decides what the team does
next, what the figures count, and whether a customer may read the text.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from milepost.common.cause_patterns import NAMED_BY_PATTERNS, pattern_of, plain_words

CREDIT_CHECK: Final = "credit_check"
CUSTOMER_CANCELLED: Final = "customer_cancelled"
CUSTOMER_REVOKED: Final = "customer_revoked"
"""A cause that follows from a provider's status, never from the text of a reason."""
OTHER: Final = "other"
NONE: Final = "none"
CAUSES: Final[tuple[str, ...]] = (*NAMED_BY_PATTERNS, CUSTOMER_REVOKED, OTHER)
"""All causes."""

QUOTABLE: Final = frozenset(
    {
        "missing_unit_number",
        "meter_data",
        "outside_service_area",
        "invalid_address",
        "customer_not_home",
        "customer_unreachable",
        "customer_cancelled",
        "customer_revoked",
        "equipment_not_available",
        "installation_complications",
        "service_interruption",
    }
)
"""Causes whose reason may be quoted to the customer in the provider's words. Of no other cause is
the reason quoted: not of ``credit_check``, and not of a sentence that no pattern recognises, since
it may say the same in other words."""
NAMED_TO_CUSTOMER: Final = QUOTABLE | {"existing_contract"}
"""Causes that a mail to the customer names in our own words. For all others, it says that someone
will explain them in person."""

WILDCARD: Final = "*"
MOST_PATTERNS: Final = 50
LONGEST_PATTERN: Final = 200
_MOST_CHARACTERS: Final = 4_000
"""Of a reason that are looked at; adapters keep fewer."""

Patterns = Mapping[str, Iterable[str]]
"""By cause, phrases of one connection's provider: ``*`` matches anything, case and accents don't
count, and a phrase may be anywhere in the reason."""


def cause_of(reason: str | None, patterns: Patterns | None = None) -> str | None:
    """The cause that a reason indicates.

    :param patterns: a connection's own, which go before ours
    :return: one of ``CAUSES``; ``other`` for a reason that no pattern recognises; None without one
    """
    if not reason or not reason.strip():
        return None
    for cause, phrases in (patterns or {}).items():
        if any(_contains(plain_words(reason), phrase) for phrase in phrases):
            return cause
    return _recognised(reason)


def is_phrase(text: str) -> bool:
    """Whether a connection's settings may have this phrase: one line, with letters or digits."""
    has_words = any(c.isalnum() for c in plain_words(text))
    return has_words and text.isprintable() and len(text) <= LONGEST_PATTERN


def may_be_quoted(text: str) -> bool:
    """Whether a customer may read a provider's remark that isn't a reason, such as a note."""
    return _recognised(text) != CREDIT_CHECK


@lru_cache(maxsize=256)
def _recognised(reason: str) -> str:
    text = plain_words(reason[:_MOST_CHARACTERS])
    found = (cause for cause in NAMED_BY_PATTERNS if pattern_of(cause).search(text))
    return next(found, OTHER)


def _contains(text: str, phrase: str) -> bool:
    """Whether the parts of a phrase between its wildcards are in the text, one after the other."""
    place = 0
    for part in plain_words(phrase).split(WILDCARD):
        found = text.find(part.strip(), place)
        if found < 0:
            return False
        place = found + len(part.strip())
    return True
