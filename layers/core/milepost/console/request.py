"""A browser's request, parsed from an event of an HTTP API (payload format 2.0).

Source: API Gateway, "Create AWS Lambda proxy integrations for HTTP APIs": cookies come in
``cookies``, and ``queryStringParameters`` joins repeated values by commas; the raw query is read.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

MOST_FIELDS: Final = 1_000
MOST_BODY: Final = 200_000
FORM: Final = "application/x-www-form-urlencoded"


class BadRequest(ValueError):
    """A request that can't be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Values:
    """Names and values of a query or a form, in their original order."""

    pairs: Sequence[tuple[str, str]] = ()

    @classmethod
    def parse(cls, text: str) -> "Values":
        """The values of a URL's query.

        :raises BadRequest: when it has too many fields
        """
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
        except ValueError:
            raise BadRequest(f"more than {MOST_FIELDS} fields") from None
        return cls(pairs)

    def one(self, name: str, default: str = "") -> str:
        """The last value of this name without white space around it."""
        found = self.all(name)
        return found[-1] if found else default

    def all(self, name: str) -> list[str]:
        """Every value of this name that isn't empty."""
        stripped = (value.strip() for one, value in self.pairs if one == name)
        return [value for value in stripped if value]

    def without(self, *names: str) -> "Values":
        """The same without these names."""
        return Values([pair for pair in self.pairs if pair[0] not in names])

    def also(self, name: str, value: str) -> "Values":
        """The same with one more value."""
        return Values([*self.pairs, (name, value)])

    def replaced(self, name: str, value: str) -> "Values":
        """The same with only this value for this name; with none if the value is empty."""
        rest = self.without(name)
        return rest.also(name, value) if value else rest

    def filled(self) -> "Values":
        """The same without values that are empty."""
        return Values([pair for pair in self.pairs if pair[1].strip()])

    @property
    def text(self) -> str:
        """The values as a URL's query."""
        return urlencode(self.filled().pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request of the browser."""

    method: str
    path: str
    query: Values
    form: Values
    cookies: Mapping[str, str]
    headers: Mapping[str, str]
    """Headers by their names in lower case."""
    request_id: str | None = None
    source_ip: str | None = None

    @property
    def is_part(self) -> bool:
        """Whether htmx requests a part of a page that is already open."""
        return self.headers.get("hx-request") == "true"

    @property
    def address(self) -> str:
        """The path with its query."""
        return f"{self.path}?{self.query.text}" if self.query.pairs else self.path


def read_request(event: Mapping[str, Any]) -> Request:
    """:raises BadRequest: if body or query can't be read"""
    http = event["requestContext"]["http"]
    headers = {name.lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    return Request(
        method=http["method"],
        path=event["rawPath"].rstrip("/") or "/",
        query=Values.parse(event.get("rawQueryString") or ""),
        form=_form(event, headers),
        cookies=_cookies(event.get("cookies") or headers.get("cookie", "").split(";")),
        headers=headers,
        request_id=event["requestContext"].get("requestId"),
        source_ip=http.get("sourceIp"),
    )


def _form(event: Mapping[str, Any], headers: Mapping[str, str]) -> Values:
    body = event.get("body")
    if not body:
        return Values()
    if headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise BadRequest("the body is not a form")
    if event.get("isBase64Encoded"):
        try:
            body = base64.b64decode(body, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise BadRequest("the form is not UTF-8") from None
    if len(body) > MOST_BODY:
        raise BadRequest("the form is too large")
    return Values.parse(body)


def _cookies(said: Sequence[str]) -> dict[str, str]:
    pairs = (one.strip().partition("=") for one in said)
    return {name: value for name, _, value in pairs if name}
