"""A request to a sandbox and its response."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from local.sandboxes.json_format import Json, format_time, parse_time, read_json, write_json

_SECRET_HEADERS: Final = frozenset({"authorization", "x-api-key", "cookie", "proxy-authorization"})


class BadRequest(ValueError):
    """The request can't be fulfilled; the message says why, for the sender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """``path`` is relative to the connection's base URL; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Json:
        """The body as an object; empty if there is none.

        :raises BadRequest: when it is anything else
        """
        if not self.body.strip():
            return {}
        try:
            value = read_json(self.body)
        except ValueError as error:
            raise BadRequest(f"the body is not JSON: {error}") from None
        if not isinstance(value, dict):
            raise BadRequest("the body must be a JSON object")
        return value

    def number(self, name: str, *, default: int, least: int, most: int) -> int:
        """A query parameter as an integer, at most ``most``.

        :raises BadRequest: when it is no number, or below ``least``
        """
        text = self.query.get(name, str(default))
        if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < least:
            raise BadRequest(f"{name} must be a whole number from {least}")
        return min(int(text), most)

    def time(self, name: str) -> str:
        """The time in a query parameter, in the format of orders; empty if there is none.

        :raises BadRequest: when it is no time
        """
        # A plus sign that was not escaped arrives as a space.
        text = self.query.get(name, "").replace(" ", "+")
        try:
            return format_time(parse_time(text)) if text else ""
        except (ValueError, OverflowError):
            raise BadRequest(f"{name} must be an ISO 8601 time") from None

    def shown_headers(self) -> dict[str, str]:
        """The headers without credentials, for the request log."""
        return {k: "***" if k in _SECRET_HEADERS else v for k, v in self.headers.items()}

    @property
    def has_credentials(self) -> bool:
        return not _SECRET_HEADERS.isdisjoint(self.headers)


@dataclass(slots=True, kw_only=True)
class Answer:
    """``content`` is sent as JSON unless it is None; ``cut`` sends only half of it.

    ``hang_up`` closes the connection without a word.
    """

    status: int = 200
    content: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    hang_up: bool = False

    def body(self) -> bytes:
        if self.content is None:
            return b""
        body = write_json(self.content)
        return body[: len(body) // 2] if self.cut else body


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a list sorted by change, and the number of the page that starts after it."""

    page: int
    updated: str
    id: str

    def __str__(self) -> str:
        text = f"{self.page}~{self.updated}~{self.id}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """The cursor, which this sandbox wrote.

    :raises BadRequest: when it wrote none such
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        page, updated, id = base64.urlsafe_b64decode(padded).decode().split("~", 2)
        return Cursor(int(page), updated, id)
    except (ValueError, binascii.Error):
        raise BadRequest("cursor is not one that this API gave out") from None
