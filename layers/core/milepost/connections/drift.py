"""Drift: whether a provider's payloads still have the same fields and types as before.

The fields of a connection are learned from its first payloads. Afterwards a new field, a field of
another type, a field that was always there and is missing, and an unknown status word are changes.
Nothing of a payload's values is kept: a change shows the form of one, such as ``aaaa-00``.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from typing import Any, Final

LEARNED_AFTER: Final = 50
"""The number of payloads from which the fields are learned. New fields in them are not changes."""
MISSED_AFTER: Final = 20
"""After how many payloads in a row without a field that every earlier one had, it is missing."""
KEPT_FOR: Final = timedelta(days=30)
"""How long a change is shown."""
MOST_CHANGES: Final = 40
_MOST_FIELDS: Final = 400
_MOST_VALUES: Final = 600
_MOST_NAMES: Final = 60
"""Maximum number of names in one object; an object with more has ids or similar as names."""
_MOST_ELEMENTS: Final = 3
_MOST_WORDS: Final = 50
_DEEPEST: Final = 7
_LONGEST_FORM: Final = 24
_A_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z_.-]{0,39}(?:\d{1,2})?[A-Za-z_]{0,20}")
_SOMETIMES: Final = -1
"""In place of a number of misses: not every payload has the field."""

_TEXT, _NUMBER, _FLAG, _LIST, _OBJECT = 1, 2, 4, 8, 16
_KINDS: Final = {str: _TEXT, bool: _FLAG, list: _LIST, dict: _OBJECT}
"""Names of Python types; all others are numbers."""
_NAMES: Final = {
    _TEXT: "text", _NUMBER: "number", _FLAG: "true or false", _LIST: "list", _OBJECT: "object",
}  # fmt: skip


class Part(StrEnum):
    """The kinds of payloads whose fields are compared with each other."""

    ORDER = "order"
    """An order of a list or of a response."""
    WEBHOOK = "webhook"


class ChangeKind(StrEnum):
    """The kind of a change."""

    NEW_FIELD = "new_field"
    NEW_TYPE = "new_type"
    MISSING_FIELD = "missing_field"
    UNKNOWN_STATUS = "unknown_status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change in a provider's payloads. ``detail`` has types, the format of a value, or the
    word.
    """

    kind: ChangeKind
    place: str
    detail: str
    seen_at: datetime

    def __str__(self) -> str:
        return in_words(self.kind, place=self.place, detail=self.detail)


_SAID: Final = {
    ChangeKind.NEW_FIELD: "new field {place} ({detail})",
    ChangeKind.NEW_TYPE: "field {place} has another type ({detail})",
    ChangeKind.MISSING_FIELD: "field {place} is missing ({detail})",
    ChangeKind.UNKNOWN_STATUS: "unknown status {detail}",
}


def in_words(kind: str, *, place: str, detail: str) -> str:
    """A change as a text for people, including one of a kind that only a newer version knows."""
    said = {str(one): text for one, text in _SAID.items()}.get(
        kind, "{place} has changed ({detail})"
    )
    return said.format(place=place, detail=detail)


@dataclass(slots=True)
class Shape:
    """The fields of one kind of payload: by path, the types, and how often the field was missing
    recently.
    """

    payloads: int = 0
    fields: dict[str, list[int]] = field(default_factory=dict)

    @property
    def is_learned(self) -> bool:
        return self.payloads >= LEARNED_AFTER


@dataclass(slots=True)
class Known:
    """What is known about the payloads of one connection, and what has changed in them."""

    shapes: dict[Part, Shape] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    """Unknown status words, in the order in which they arrived."""
    changes: list[Change] = field(default_factory=list)
    is_changed: bool = False
    """Whether it has to be stored."""
    new: list[Change] = field(default_factory=list)
    """Changes since it was stored last."""

    def look(self, part: Part, payload: Any, words: Iterable[str], *, at: datetime) -> None:
        """Compare a payload, and learn from it.

        :param words: its unknown status words
        """
        for word in words:
            self._note_word(word, at)
        shape = self.shapes.setdefault(part, Shape())
        found = dict(_fields(payload))
        for path, value in found.items():
            self._note_field(shape, part, path, value, at)
        self._note_missing(shape, part, found, at)
        if not shape.is_learned:
            shape.payloads += 1
            self.is_changed = True

    def _note_word(self, word: str, at: datetime) -> None:
        if word in self.words or len(self.words) >= _MOST_WORDS:
            return
        self.words.append(word)
        self._add(ChangeKind.UNKNOWN_STATUS, "status", word[:60], at)

    def _note_field(self, shape: Shape, part: Part, path: str, value: Any, at: datetime) -> None:
        kind = _kind(value)
        known = shape.fields.get(path)
        if known is None:
            if len(shape.fields) >= _MOST_FIELDS:
                return
            shape.fields[path] = [kind, _SOMETIMES if shape.payloads else 0]
            self.is_changed = True
            if shape.is_learned and not _is_below_new(self.changes, part, path):
                said = _NAMES.get(kind, "null")
                self._add(ChangeKind.NEW_FIELD, f"{part}: {path}", _with_form(said, value), at)
        elif kind & ~known[0]:
            before, known[0] = known[0], known[0] | kind
            self.is_changed = True
            if shape.is_learned and before:
                said = f"{_names(before)}, now {_names(kind)}"
                self._add(ChangeKind.NEW_TYPE, f"{part}: {path}", _with_form(said, value), at)

    def _note_missing(
        self, shape: Shape, part: Part, found: Mapping[str, Any], at: datetime
    ) -> None:
        for path, known in shape.fields.items():
            misses = known[1]
            if misses == _SOMETIMES:
                continue
            if path in found:
                if misses:
                    known[1] = _SOMETIMES
                    self.is_changed = True
                continue
            if not _has_parent(path, found):
                continue
            self.is_changed = True
            known[1] = _SOMETIMES if not shape.is_learned else misses + 1
            if known[1] >= MISSED_AFTER:
                known[1] = _SOMETIMES
                detail = f"in {MISSED_AFTER} payloads in a row"
                self._add(ChangeKind.MISSING_FIELD, f"{part}: {path}", detail, at)

    def _add(self, kind: ChangeKind, place: str, detail: str, at: datetime) -> None:
        self.is_changed = True
        change = Change(kind=kind, place=place, detail=detail, seen_at=at)
        self.new.append(change)
        self.changes.append(change)
        del self.changes[:-MOST_CHANGES]


@dataclass(frozen=True, slots=True)
class Drift:
    """The changes of a connection's payloads, and the time until which the team was notified of
    them.
    """

    changes: tuple[Change, ...] = ()
    told_until: datetime | None = None

    @property
    def unannounced(self) -> list[Change]:
        until = self.told_until
        return [one for one in self.changes if until is None or one.seen_at > until]


NO_DRIFT: Final = Drift()


def recent(changes: Iterable[Change], *, now: datetime) -> tuple[Change, ...]:
    """The changes that are still shown, the newest first."""
    kept = [one for one in changes if now - one.seen_at <= KEPT_FOR]
    return tuple(sorted(kept, key=lambda one: one.seen_at, reverse=True))


def shape_text(shape: Shape) -> str:
    """A shape in its stored form."""
    return json.dumps({"payloads": shape.payloads, "fields": shape.fields}, separators=(",", ":"))


def read_shape_text(text: str) -> Shape:
    """:raises ValueError, TypeError, KeyError: if it isn't a shape"""
    said = json.loads(text)
    fields = {
        str(path): [int(types), int(misses)] for path, (types, misses) in said["fields"].items()
    }
    return Shape(int(said["payloads"]), fields)


def _fields(payload: Any) -> Iterator[tuple[str, Any]]:
    """The path of each field, with a value; limited in number for any payload."""
    left = _MOST_VALUES
    waiting: list[tuple[str, Any, int]] = [("", payload, 0)]
    while waiting and left:
        path, value, depth = waiting.pop()
        left -= 1
        if path:
            yield path, value
        if depth >= _DEEPEST:
            continue
        if type(value) is dict:
            is_map = len(value) > _MOST_NAMES
            above = f"{path}." if path else ""
            for name, one in islice(value.items(), _MOST_NAMES):
                said = "*" if is_map else _shown(name)
                waiting.append((above + said, one, depth + 1))
        elif type(value) is list:
            waiting += [(f"{path}[]", one, depth + 1) for one in value[:_MOST_ELEMENTS]]


@lru_cache(maxsize=2_000)
def _shown(name: str) -> str:
    """A field's name; ``*`` if it looks like an id, an address or a text."""
    return name if _A_NAME.fullmatch(name) else "*"


def _kind(value: Any) -> int:
    return 0 if value is None else _KINDS.get(type(value), _NUMBER)


def _names(kinds: int) -> str:
    return " or ".join(name for bit, name in _NAMES.items() if kinds & bit)


def _with_form(said: str, value: Any) -> str:
    """The types, with the format of a value, in which each letter is ``a`` and each digit ``0``."""
    if isinstance(value, bool) or value is None or isinstance(value, Mapping | list):
        return said
    form = "".join(
        "0" if one.isdigit() else "a" if one.isalpha() else one if one in " -_.:/+@" else "?"
        for one in str(value)[:_LONGEST_FORM]
    )
    return f"{said}, such as {form}" if form.strip() else said


def _has_parent(path: str, found: Mapping[str, Any]) -> bool:
    """Whether the object that should contain the field exists."""
    if path.endswith("[]"):
        return False
    parent, dot, name = path.rpartition(".")
    if name == "*":
        return False
    return not dot or isinstance(found.get(parent), Mapping)


def _is_below_new(changes: list[Change], part: Part, path: str) -> bool:
    """Whether an object or list that contains the field is new itself."""
    return any(
        one.kind is ChangeKind.NEW_FIELD
        and path.startswith((f"{one.place.removeprefix(f'{part}: ')}.",
                             f"{one.place.removeprefix(f'{part}: ')}["))
        for one in changes
    )  # fmt: skip
