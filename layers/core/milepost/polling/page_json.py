"""The JSON of a page: the envelope is parsed strictly, each order is cut out and parsed leniently.

An order that is valid JSON but refused here (a repeated key, a number out of range, half of a
surrogate pair), or that isn't valid JSON, must not prevent the other orders of its page from being
read.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from milepost.common.errors import BadPayload
from milepost.common.strict_json import read_json
from milepost.polling.page_limits import MOST_ORDER_BYTES, MOST_ORDERS_ON_A_PAGE
from milepost.providers.base import BrokenPage

_BOM: Final = b"\xef\xbb\xbf"
_ESCAPED: Final = "surrogateescape"
"""How bytes that aren't UTF-8 are decoded, so that they can be encoded again unchanged."""
_LENIENT: Final = json.JSONDecoder(strict=False, parse_float=str, parse_constant=str)
_SPACE: Final = re.compile(r"[ \t\n\r]*+")
_TOKEN: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{},]', re.DOTALL)
_OPENING: Final = {"]": "[", "}": "{"}


@dataclass(frozen=True)
class PageJson:
    """A page's text, and where its orders are in it."""

    text: str
    envelope: Any
    """The page's value: an object, or the list of orders itself. Its orders are parsed
    leniently."""
    orders: Sequence[Any]
    """Each order's value: fractions are texts, repeated keys are not detected. None if it isn't
    valid JSON or is too large."""
    spans: Sequence[tuple[int, int]]

    @cached_property
    def _is_ascii(self) -> bool:
        return self.text.isascii()

    def raw(self, place: int) -> bytes:
        """The bytes of one order, unchanged."""
        start, end = self.spans[place]
        part = self.text[start:end]
        return part.encode("ascii") if self._is_ascii else part.encode("utf-8", _ESCAPED)


def read_page_json(body: bytes, path: Sequence[str]) -> PageJson:
    """Parse a page whose list of orders is at this path of names; an empty path is the page itself.

    Repeated keys within an order are not detected: an order has to be parsed again, strictly, from
    ``PageJson.raw`` before it is recorded.

    :raises BadPayload: when the envelope isn't strict JSON, or isn't an object
    :raises BrokenPage: when there are more than ``MOST_ORDERS_ON_A_PAGE`` orders
    """
    text = body.removeprefix(_BOM).decode("utf-8", _ESCAPED)
    reader = _Reader(text)
    start = reader.skip(0)
    envelope: Any
    if not path and text.startswith("[", start):
        envelope, end = reader.read_orders(start)
    elif text.startswith("{", start):
        envelope, end = reader.read_object(start, path)
    else:
        raise BadPayload("expected a JSON object" if path else "expected a JSON list")
    if reader.skip(end) != len(text):
        raise BadPayload(f"not JSON: something follows at character {end}")
    return PageJson(text, envelope, reader.orders, reader.spans)


class _Opened:
    """The open brackets. The time is proportional to their number, in whatever order they close."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._count = {"[": 0, "{": 0}

    def __bool__(self) -> bool:
        return bool(self._open)

    def open(self, bracket: str) -> None:
        self._open.append(bracket)
        self._count[bracket] += 1

    def close(self, bracket: str) -> None:
        """Close the last open bracket of this kind and everything opened within it, if there is
        one."""
        while self._count[bracket]:
            last = self._open.pop()
            self._count[last] -= 1
            if last == bracket:
                return


class _Reader:
    """Walks along the path to the orders; the JSON outside of the path is parsed strictly."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.orders: list[Any] = []
        self.spans: list[tuple[int, int]] = []

    def skip(self, at: int) -> int:
        return _SPACE.match(self.text, at).end()  # type: ignore[union-attr]  # it always matches

    def expect(self, characters: str, at: int) -> str:
        found = self.text[at : at + 1]
        if not found or found not in characters:
            raise BadPayload(f"not JSON: expected one of {characters} at character {at}")
        return found

    def read_object(self, start: int, path: Sequence[str]) -> tuple[dict[str, Any], int]:
        """The object that starts here, and its end."""
        value: dict[str, Any] = {}
        at = self.skip(start + 1)
        if self.text.startswith("}", at):
            return value, at + 1
        while True:
            self.expect('"', at)
            name, at = self.read_strictly(at)
            if name in value:
                raise BadPayload("a key is given twice in the page")
            at = self.skip(at)
            self.expect(":", at)
            value[name], at = self.read_member(name, self.skip(at + 1), path)
            at = self.skip(at)
            if self.expect(",}", at) == "}":
                return value, at + 1
            at = self.skip(at + 1)

    def read_member(self, name: str, at: int, path: Sequence[str]) -> tuple[Any, int]:
        if path and name == path[0]:
            if len(path) > 1 and self.text.startswith("{", at):
                return self.read_object(at, path[1:])
            if len(path) == 1 and self.text.startswith("[", at):
                return self.read_orders(at)
        return self.read_strictly(at)

    def read_strictly(self, at: int) -> tuple[Any, int]:
        end = self.end_of_value(at)
        return read_json(self.text[at:end].encode("utf-8", _ESCAPED)), end

    def end_of_value(self, at: int) -> int:
        try:
            _, end = _LENIENT.raw_decode(self.text, at)
        except json.JSONDecodeError as error:
            raise BadPayload(f"not JSON: {error.msg} at character {error.pos}") from None
        except (ValueError, RecursionError):
            raise BadPayload("not JSON that can be read: nested too deep, or a number") from None
        return end

    def read_orders(self, start: int) -> tuple[list[Any], int]:
        """The orders of the list that starts here, and its end."""
        at = self.skip(start + 1)
        if self.text.startswith("]", at):
            return self.orders, at + 1
        while True:
            at = self.skip(self.read_order(at))
            if len(self.orders) > MOST_ORDERS_ON_A_PAGE:
                raise BrokenPage(
                    f"more than {MOST_ORDERS_ON_A_PAGE:,} orders on one page: "
                    "set a smaller page_size"
                )
            if self.expect(",]", at) == "]":
                return self.orders, at + 1
            at = self.skip(at + 1)

    def read_order(self, at: int) -> int:
        """Add the order that starts here, whether it is valid or not; returns its end."""
        try:
            value, end = _LENIENT.raw_decode(self.text, at)
            is_json = self.text[(following := self.skip(end)) : following + 1] in (",", "]")
        except (ValueError, RecursionError):
            is_json = False
        if not is_json:
            value, end = None, self.end_by_brackets(at)
        elif end - at > MOST_ORDER_BYTES:
            value = None
        self.orders.append(value)
        self.spans.append((at, end))
        return end

    def end_by_brackets(self, start: int) -> int:
        """The end of an order that isn't valid JSON: the next comma or bracket that belongs to the
        list.

        A closing bracket also closes any brackets that were left open within its pair.
        """
        opened = _Opened()
        for token in _TOKEN.finditer(self.text, start):
            character = token[0][0]
            if character in "[{":
                opened.open(character)
            elif character in "]}" and opened:
                opened.close(_OPENING[character])
            elif token[0] == '"':
                break
            elif character in ",]" and not opened:
                return len(self.text[start : token.start()].rstrip(" \t\n\r")) + start
        raise BadPayload(
            f"not JSON: the page ends within order {len(self.orders) + 1}, which starts at "
            f"character {start}"
        )
