"""Size limits of a stored order in bytes, and how parts that are too large are shortened.

A DynamoDB item holds at most 400 KB. Each part of an order's item has a limit, and their sum stays
well below: details 36 KB, the summary's details 36, timeline 140, announcements 50, attention 22,
finished stages 20, everything else 25. A size is that of the value as canonical JSON in UTF-8,
which is never less than the size that DynamoDB counts. Lengths of texts that people enter:
``actions.argument_limits``.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

REPORT_BYTES: Final = 32_000
"""Details of one report."""
DETAILS_BYTES: Final = 36_000
"""Details of one order, and those of its summary."""
TIMELINE_BYTES: Final = 140_000
"""The reports of a timeline; beyond this, the oldest are folded into the summary."""
RAW_STATUS_BYTES: Final = 200
SERVICE_TYPE_BYTES: Final = 100
"""A service type, which is part of keys of FiguresTable, percent-encoded."""
ATTENTION_BYTES: Final = 1_000
"""The text of one reason for attention."""

SHORTENED: Final = "shortened"
"""The detail that names the shortened ones; its hash distinguishes values that were cut to the same
text."""

_STEPS: Final = ((4_000, 100), (2_000, 50), (1_000, 20), (500, 10), (200, 10), (100, 5))
"""The bytes of a text and elements of a list that are kept, from the first attempt to the last."""
_MARK_BYTES: Final = 700
_MOST_NAMED: Final = 20


def shorten_text(text: str, most: int) -> str:
    """The text in at most ``most`` bytes of UTF-8; a cut text ends in a hash of the whole text.

    :param most: bytes, 40 or more
    """
    if len(text) * 4 <= most or len(whole := text.encode("utf-8", "replace")) <= most:
        return text
    mark = f"… (shortened, {_digest(whole)})"
    kept = whole[: most - len(mark.encode())].decode(errors="ignore")
    return kept + mark


def shorten_details(
    details: Mapping[str, Any], most: int, *, encode: Callable[[Any], bytes]
) -> dict[str, Any]:
    """The details in at most ``most`` bytes. ``shortened`` has the names of the facts that were
    cut.

    Long texts and lists are cut first; then facts are left out, the largest first.

    :param encode: canonical JSON of a value
    """
    whole = encode(details)
    if len(whole) <= most:
        return dict(details)
    room = most - _MARK_BYTES
    for text_bytes, elements in _STEPS:
        cut = {name: _cut(value, text_bytes, elements) for name, value in details.items()}
        if len(encode(cut)) <= room:
            break
    else:
        cut = _without_the_largest(cut, room, encode)
    before = str(details.get(SHORTENED, "")).partition(" (")[0].split(", ")
    differing = {name for name, value in details.items() if cut.get(name) != value}
    names = sorted({*differing, *before} - {"", SHORTENED})
    named = ", ".join(name[:24] for name in names[:_MOST_NAMED])
    return {**cut, SHORTENED: f"{named} ({len(whole)} bytes, {_digest(whole)})"}


def _cut(value: Any, text_bytes: int, elements: int) -> Any:
    if isinstance(value, str):
        return shorten_text(value, text_bytes)
    if isinstance(value, Mapping):
        return {name: _cut(one, text_bytes, elements) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_cut(one, text_bytes, elements) for one in value[:elements]]
    return value


def _without_the_largest(
    details: dict[str, Any], room: int, encode: Callable[[Any], bytes]
) -> dict[str, Any]:
    sizes = sorted((len(encode({name: value})), name) for name, value in details.items())
    kept: set[str] = set()
    total = 0
    for size, name in sizes:
        total += size
        if total <= room:
            kept.add(name)
    return {name: value for name, value in details.items() if name in kept}


def _digest(whole: bytes) -> str:
    return hashlib.sha256(whole).hexdigest()[:12]
