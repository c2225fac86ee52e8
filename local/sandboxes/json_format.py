"""JSON and times in the providers' formats."""

import json
import re
import secrets
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

Json: TypeAlias = dict[str, Any]

BERLIN: Final = ZoneInfo("Europe/Berlin")

# Unguessable, so that no text inside an order can pass for a number.
_MARK: Final = f"decimal-{secrets.token_hex(8)}:"
_MARKED: Final = re.compile(rf'"{_MARK}([^"]+)"')


def read_json(text: str | bytes) -> Any:
    """The value of a JSON text; decimals are exact.

    :raises ValueError: when it is not JSON
    """
    return json.loads(text, parse_float=Decimal)


def write_json(value: object) -> bytes:
    """The JSON text of a value; a Decimal becomes a number with the same digits."""
    text = json.dumps(value, ensure_ascii=False, default=_mark_decimal)
    return _MARKED.sub(r"\1", text).encode()


def _mark_decimal(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{_MARK}{value}"
    raise TypeError(f"cannot write a {type(value).__name__} as JSON")


def format_time(instant: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and ``Z``."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """The aware datetime of an ISO 8601 text; without a zone it is UTC.

    :raises ValueError: when it is no time
    """
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def format_berlin(instant: datetime) -> str:
    """Local time in Berlin without a time zone, in RABOT's format."""
    return instant.astimezone(BERLIN).strftime("%Y-%m-%d %H:%M:%S")


def format_berlin_day(instant: datetime) -> str:
    """The day in Berlin, in RABOT's format."""
    return instant.astimezone(BERLIN).strftime("%Y-%m-%d 00:00:00")


def merge(base: Json, changes: Mapping[str, Any]) -> Json:
    """Merges ``changes`` into ``base``, object by object, and returns it; lists are replaced."""
    for name, value in changes.items():
        inner = base.get(name)
        if isinstance(inner, dict) and isinstance(value, Mapping):
            merge(inner, value)
        else:
            base[name] = deepcopy(value)
    return base
