"""Raw statuses: a provider's own words for where an order stands, compared as people would."""

from enum import StrEnum


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
