"""Formats of identifiers that customers and providers type, and often mistype."""

import re
import unicodedata
from typing import Final
from urllib.parse import quote

LONGEST_ID: Final = 200
"""Bytes of an order's or item's id as keys hold it: in UTF-8, percent-quoted as in a URL.

A sort key of DynamoDB has at most 1,024 bytes. The longest that is made of ids, SearchTable's, has
both of them, the connection's (64 at most), and a word of the reference of 64 characters, which
are up to 256 bytes.
"""

_MALO: Final = re.compile(r"[1-9]\d{10}", re.ASCII)
_MELO: Final = re.compile(r"DE\d{11}[A-Z\d]{20}", re.ASCII)
_METER: Final = re.compile(r"[A-Z\d](?:[A-Z\d]|[ ./-](?=[A-Z\d])){3,29}", re.ASCII | re.IGNORECASE)


def is_order_id(text: str) -> bool:
    """Whether an id of an order or item is valid in the keys of every table.

    Of letters, digits, ``-``, ``.``, ``_`` and ``~`` it may have 200; another character takes
    three for each of its bytes in UTF-8.
    """
    try:
        return 0 < len(quote(text, safe="")) <= LONGEST_ID
    except UnicodeEncodeError:
        return False


def is_malo(text: str) -> bool:
    """Whether this is a MaLo-ID (Marktlokations-Identifikationsnummer) with a correct check digit.

    Source: BDEW, "Marktlokations-Identifikationsnummer": of the first ten digits those in odd
    places count once and those in even places twice, without cross sums; the eleventh makes the
    sum a multiple of ten.
    """
    if not _MALO.fullmatch(text):
        return False
    digits = [int(digit) for digit in text]
    total = sum(digits[0:10:2]) + 2 * sum(digits[1:10:2])
    return (10 - total % 10) % 10 == digits[10]


def is_melo(text: str) -> bool:
    """Whether this has the format of a MeLo-ID (Messlokation): DE, 11 digits, 20 of A-Z and 0-9.

    Source: VDE-AR-N 4400 (metering code).
    """
    return _MELO.fullmatch(text) is not None


def is_meter_number(text: str) -> bool:
    """Whether this may be a meter number: 4 to 30 letters and digits, with single separators.

    New meters follow DIN 43863-5, but the older ones in the field follow nothing.
    """
    return _METER.fullmatch(text) is not None


_CONTROL: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode's categories of control characters, half characters and line ends."""
_PLAIN_ID: Final = re.compile(rf"[\w.~-]{{1,{LONGEST_ID}}}", re.ASCII)
"""As nearly all are: nothing in them is quoted, or needs a look."""


class BadId(ValueError):
    """Not a valid id of an order; the message says why, without the id."""


def read_id(text: str) -> str:
    """A provider's id in its stored form: without surrounding spaces.

    :raises BadId: when it is blank, too long, or has control characters
    """
    if _PLAIN_ID.fullmatch(text):
        return text
    trimmed = text.strip()
    if not trimmed:
        raise BadId("an id that is empty or blank")
    if any(unicodedata.category(one) in _CONTROL for one in trimmed):
        raise BadId("an id with control characters")
    if not is_order_id(trimmed):
        raise BadId(f"an id of more than {LONGEST_ID} bytes, percent-quoted as keys hold it")
    return trimmed
