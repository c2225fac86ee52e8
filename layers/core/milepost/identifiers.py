"""Forms of the identifiers that customers and providers type, and often mistype."""

import re
from typing import Final

_MALO: Final = re.compile(r"[1-9]\d{10}", re.ASCII)
_MELO: Final = re.compile(r"DE\d{11}[A-Z\d]{20}", re.ASCII)
_METER: Final = re.compile(r"[A-Z\d](?:[A-Z\d]|[ ./-](?=[A-Z\d])){3,29}", re.ASCII | re.IGNORECASE)


def is_malo(text: str) -> bool:
    """Whether this is a MaLo-ID (Marktlokations-Identifikationsnummer) with a right check digit.

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
    """Whether this has the form of a MeLo-ID (Messlokation): DE, 11 digits, 20 of A-Z and 0-9.

    Source: VDE-AR-N 4400 (metering code).
    """
    return _MELO.fullmatch(text) is not None


def is_meter_number(text: str) -> bool:
    """Whether this could stand on a meter: 4 to 30 letters and digits, single separators.

    New meters follow DIN 43863-5, but the older ones in the field follow nothing.
    """
    return _METER.fullmatch(text) is not None
