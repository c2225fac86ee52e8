"""Puts values into payloads at the positions that expressions read, in the samples' types."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from milepost.common.status import normal_form
from milepost.providers.declared.file_orders import IN_TEXT, Times

Steps: TypeAlias = tuple[str | int, ...]
"""A place in a payload: names of objects' fields and numbers of lists' elements."""

_NAME: Final = r'(?:[A-Za-z_]\w*|"[^"]+")'
_STEP: Final = rf"{_NAME}(?:\[\d+\])*"
_PATH: Final = re.compile(rf"{_STEP}(?:\.{_STEP})*")
_PARTS: Final = re.compile(rf"({_NAME})|\[(\d+)\]")
_QUOTED: Final = re.compile(r"'([^']*)'")
_MILLISECONDS: Final = 10**11
"""Numbers from here on are milliseconds since 1970: as seconds they were the year 5138."""


def steps_in(expression: str | None) -> Steps | None:
    """The position that an expression reads, such as ``data[0].id``; of alternatives (``updated ||
    created``), the first one with a position. None if there is none."""
    for text in (expression or "").split("||"):
        if text.strip() == "@":
            return ()
        if _PATH.fullmatch(text.strip()):
            found = _PARTS.findall(text)
            return tuple(name.strip('"') if name else int(number) for name, number in found)
    return None


def quoted_text(expression: str | None) -> str | None:
    """The value of an expression that is a quoted text, such as ``'cancelled'``."""
    found = _QUOTED.fullmatch((expression or "").strip())
    return found.group(1) if found else None


def put(content: Any, steps: Sequence[str | int] | None, value: Any) -> Any:
    """Put a value at a position, creating missing objects above it; returns the content."""
    if not steps:
        return content
    inner = content
    for step, following in pairwise(steps):
        inner = _inside(inner, step, [] if isinstance(following, int) else {})
    _set(inner, steps[-1], value)
    return content


def value_at(content: Any, steps: Sequence[str | int] | None) -> Any:
    """The value at a position; None if there is none."""
    for step in steps or ():
        if isinstance(step, int):
            is_there = isinstance(content, list) and step < len(content)
            content = content[step] if is_there else None
        else:
            content = content.get(step) if isinstance(content, dict) else None
    return content


def as_sampled(value: Any, sample: Any) -> Any:
    """The value as a number or as a text, like the sample."""
    if isinstance(sample, str):
        return str(value)
    is_number = isinstance(sample, int) and not isinstance(sample, bool)
    return int(value) if is_number and str(value).isdigit() else value


def time_as_sampled(moment: datetime, sample: Any, times: Times) -> Any:
    """The time in the sample's format: a number since 1970, one of the file's patterns, ISO
    8601.
    """
    if isinstance(sample, int | float | Decimal):
        return _since_1970(moment, in_milliseconds=sample >= _MILLISECONDS)
    if isinstance(sample, str) and sample.isdigit():
        return str(_since_1970(moment, in_milliseconds=int(sample) >= _MILLISECONDS))
    local = moment.astimezone(UTC if times.zone == IN_TEXT else ZoneInfo(times.zone))
    for pattern in times.patterns if isinstance(sample, str) else ():
        if _fits(sample, pattern):
            return local.strftime(pattern)
    if times.zone != IN_TEXT and isinstance(sample, str) and not _names_zone(sample):
        return local.replace(tzinfo=None).isoformat()
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def is_word(text: object, word: str) -> bool:
    """Whether they are the same status word: case and white space are ignored."""
    return isinstance(text, str) and normal_form(text) == normal_form(word)


def _inside(content: Any, step: str | int, missing: Any) -> Any:
    found = value_at(content, (step,))
    if not isinstance(found, type(missing)):
        _set(content, step, missing)
        found = missing
    return found


def _set(content: Any, step: str | int, value: Any) -> None:
    if isinstance(step, str):
        content[step] = value
        return
    content.extend({} for _ in range(step + 1 - len(content)))
    content[step] = value


def _since_1970(moment: datetime, *, in_milliseconds: bool) -> int:
    seconds = moment.timestamp()
    return int(seconds * 1000) if in_milliseconds else int(seconds)


def _fits(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(text.strip(), pattern)  # noqa: DTZ007 - only whether it can be read
    except ValueError:
        return False
    return True


def _names_zone(text: str) -> bool:
    return bool(re.search(r"(?:[Zz]|[+-]\d\d:?\d\d)$", text.strip()))
