"""Numbers as providers write them: exact, or not at all."""

import re
from decimal import Decimal
from typing import Any, Final

MOST_DIGITS: Final = 38
"""Digits of an amount when it is written out: as many as DynamoDB keeps."""

_NUMBER: Final = re.compile(r"[+-]?\d{1,60}(?:\.\d{1,60})?(?:[eE][+-]?\d{1,4})?", re.ASCII)


def read_amount(value: Any) -> Decimal:
    """The exact number that a JSON number, or a text in the form of one, says.

    A text such as 1,280.00 or 1_280 is none: which of its signs parts thousands isn't known.

    :raises ValueError: when it is none, or has too many digits
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError("not a number")  # noqa: TRY004 - pydantic takes no TypeError
    text = str(value).strip()
    if not _NUMBER.fullmatch(text):
        raise ValueError("not a number such as 1280.00")
    number = Decimal(text)
    if not number:
        return Decimal(0)
    _, digits, exponent = number.as_tuple()
    places = max(-int(exponent), 0)
    if max(number.adjusted() + 1, 1) + places > MOST_DIGITS or len(digits) > MOST_DIGITS:
        raise ValueError(f"a number of more than {MOST_DIGITS} digits")
    return number
