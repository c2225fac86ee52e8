"""The language that a browser or a subscription requests. Short: pages and test messages share it.

Source: RFC 9110, section 12.5.4.
"""

from collections.abc import Collection
from typing import Final

_LONGEST_HEADER: Final = 512


def preferred_language(header: str, *, among: Collection[str]) -> str | None:
    """The available language that the reader prefers; None if none of the requested ones is
    available.

    :param header: the value of ``Accept-Language``, or a language tag; regions don't count
    """
    wishes = []
    for position, part in enumerate(header[:_LONGEST_HEADER].split(",")):
        tag, _, weight = part.partition(";")
        language = tag.strip().lower().partition("-")[0]
        if language in among and _weight(weight) > 0:
            wishes.append((-_weight(weight), position, language))
    return min(wishes)[2] if wishes else None


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        number = float(value)
    except ValueError:
        return 0.0
    return number if 0 <= number <= 1 else 0.0
