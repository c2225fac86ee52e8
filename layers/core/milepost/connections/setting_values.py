"""Validates the values of a connection's settings.

Each function takes a value of the JSON, and raises ``Wrong`` with what follows the setting's name
in a message, such as "is no whole number".
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from milepost.common.causes import LONGEST_PATTERN, MOST_PATTERNS, is_phrase
from milepost.common.email_addresses import is_email


class Wrong(Exception):
    """An invalid value of a setting. Its text follows the setting's name."""


MOST_REMINDER_HOURS: Final = 336
"""Two weeks before an appointment: nobody is reminded earlier."""
MOST_TRACKING_DAYS: Final = 730
"""Two years: nobody remembers a link that is valid for longer."""
DEEPEST: Final = 20
"""Levels of objects and lists in ``options``."""
A_YEAR: Final = 366
MOST_OF_ANYTHING: Final = 1_000_000


def read_text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise Wrong("is not a text of one line")
    return value


def read_address(value: Any) -> str:
    wrong = "is not a plain address such as https://api.example.com/v1"
    try:
        parts = urlsplit(read_text(value))
        is_plain = parts.port != 0 and not (parts.username or parts.password or parts.fragment)
    except (ValueError, Wrong):
        raise Wrong(wrong) from None
    if parts.scheme not in ("https", "http") or not parts.hostname or not is_plain:
        raise Wrong(wrong)
    if not value.isascii() or " " in value:
        raise Wrong(wrong)
    return str(value)


def read_order_page(value: Any) -> str:
    """An https address with ``{order_id}``, and possibly ``{item_id}``."""
    address = read_text(value)
    if not is_order_page(address):
        raise Wrong("is not an address such as https://portal.example.com/orders/{order_id}")
    return address


def is_order_page(address: str) -> bool:
    """Whether this address can be a link to an order's page."""
    plain = address.replace("{order_id}", "1").replace("{item_id}", "1")
    try:
        parts = urlsplit(plain)
        is_plain = parts.port != 0 and not (parts.username or parts.password)
    except ValueError:
        return False
    in_host = urlsplit(address).netloc
    return (
        "{order_id}" in address
        and parts.scheme == "https"
        and bool(parts.hostname)
        and is_plain
        and not any(sign in in_host + plain for sign in "{}<>\"'\\")
        and plain.isascii()
        and plain.isprintable()
        and " " not in plain
    )


def whole_number_up_to(most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
            raise Wrong(f"is not a whole number from 1 to {most}")
        return value

    return read


def read_days(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not isfinite(value) or not 0 <= value <= 10 * A_YEAR:
        raise Wrong("is not a number of days")
    return float(value) if isinstance(value, float) else value


def read_day(value: Any) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise Wrong("is not a day such as 2026-03-31") from None


def read_hours(value: Any) -> tuple[float, ...]:
    if not isinstance(value, list):
        raise Wrong("is no list")
    for one in value:
        is_number = isinstance(one, int | float) and not isinstance(one, bool)
        if not is_number or not 0 < one <= MOST_REMINDER_HOURS:
            raise Wrong(f"has a value that is not a number of hours up to {MOST_REMINDER_HOURS}")
    return tuple(sorted({float(one) for one in value}, reverse=True))


def read_zone(value: Any) -> str:
    try:
        ZoneInfo(read_text(value))
    except (ValueError, KeyError, OSError, Wrong):
        raise Wrong("is not a time zone such as Europe/Berlin") from None
    return str(value)


def matching(pattern: str, example: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise Wrong(f"is not a valid value such as {example}")
        return value

    return read


def one_of(*known: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise Wrong(f"is none of {', '.join(known)}")
        return value

    return read


def mapping_of(
    key: Callable[[Any], str], value: Callable[[Any], Any]
) -> Callable[[Any], dict[str, Any]]:
    def read(said: Any) -> dict[str, Any]:
        if not isinstance(said, dict):
            raise Wrong("is no object")
        return {key(name): value(one) for name, one in said.items()}

    return read


def read_kinds(value: Any) -> frozenset[str]:
    if not isinstance(value, list):
        raise Wrong("is no list")
    return frozenset(map(read_text, value))


def read_phrases(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MOST_PATTERNS:
        raise Wrong(f"is not a list of at most {MOST_PATTERNS} phrases")
    if not all(isinstance(one, str) and is_phrase(one) for one in value):
        raise Wrong(f"is not a list of phrases of up to {LONGEST_PATTERN} characters")
    return tuple(value)


def read_options(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Wrong("is no object")
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
    if level:
        raise Wrong(f"is nested more than {DEEPEST} levels deep")
    return value


def read_lines(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Wrong("is no text")
    for line in value.splitlines():
        if line:
            read_text(line)
    return value


def read_email(value: Any) -> str:
    if not isinstance(value, str) or not is_email(value):
        raise Wrong("is not an email address")
    return value


def read_amount(value: Any) -> str:
    try:
        amount = Decimal(read_text(value))
    except (InvalidOperation, Wrong):
        raise Wrong("is no amount") from None
    if not amount.is_finite() or not 0 <= amount < 10**12:
        raise Wrong("is no amount")
    return str(value)


def or_null(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)
