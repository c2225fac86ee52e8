"""The parts of a provider's file about its interface: pages, filters, signatures.

Unknown keys are errors. The published JSON Schema is generated from these models (``file_format``),
so their docstrings are its descriptions.
"""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from milepost.common.http_headers import is_header_value
from milepost.providers.declared.expressions import check_expression, names_in
from milepost.webhooks.signature_schemes import (
    SCHEMES,
    TOLERANCE_SECONDS,
    BadScheme,
    SignatureScheme,
    read_scheme,
)

_HEADER_NAME: Final = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,80}$"
_OWN_HEADERS: Final = frozenset(
    {
        *("host", "content-length", "transfer-encoding", "connection", "cookie", "authorization"),
        *("idempotency-key", "if-none-match", "upgrade", "te", "trailer", "expect"),
    }
)
_PLACES: Final = re.compile(r"\{([^{}]*)\}")


class Part(BaseModel):
    """A part of the file: unknown keys are errors."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, defer_build=True
    )


def _path(text: str) -> str:
    bare = text.split("?", 1)[0]
    if not text.startswith("/") or text.startswith("//") or "\\" in text or "#" in text:
        raise ValueError("must be a path below base_url that begins with one slash")
    if any(one in ("..", ".") for one in bare.split("/")) or not text.isprintable() or " " in text:
        raise ValueError(
            "must be a plain path, without dots between its slashes; a space is written as %20"
        )
    return text


def _query_value(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _headers(given: dict[str, str]) -> dict[str, str]:
    for name, value in given.items():
        if not re.fullmatch(_HEADER_NAME, name) or name.lower() in _OWN_HEADERS:
            raise ValueError(f"{name} is no header that a file can set")
        if not is_header_value(value):
            raise ValueError(f"the value of {name} can't be sent in a header")
    return {name.lower(): value for name, value in given.items()}


def _plain_names(text: str) -> str:
    check_expression(text)
    if names_in(text) is None:
        raise ValueError("must be a plain path such as data.orders, or @ for the answer itself")
    return text


def places_in(text: str) -> list[str]:
    """The names in braces in a template such as ``/orders/{order_id}``."""
    return _PLACES.findall(text)


def only_places(text: str, allowed: frozenset[str]) -> None:
    """:raises ValueError: when a template has another name in braces, or an unmatched brace"""
    others = [one for one in places_in(text) if one not in allowed]
    if others or "{" in _PLACES.sub("", text) or "}" in _PLACES.sub("", text):
        shown = ", ".join(f"{{{one}}}" for one in sorted(allowed)) or "none"
        raise ValueError(
            f"has a place in braces that there isn't: there are {shown}; in a path, other braces "
            "are written as %7B and %7D"
        )


Expression = Annotated[
    str,
    AfterValidator(check_expression),
    Field(min_length=1, description="JMESPath, applied to the payload."),
]
PlainPath = Annotated[
    str, AfterValidator(_plain_names), Field(description="Names with dots, or @ for all of it.")
]
Path = Annotated[str, AfterValidator(_path), Field(max_length=300, examples=["/orders"])]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Parameter = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[!-~]+$")]
Header = Annotated[str, Field(pattern=_HEADER_NAME)]
QueryValue = Annotated[
    str,
    BeforeValidator(_query_value, json_schema_input_type=str | bool | int | float),
    Field(max_length=300),
]
Query = Annotated[dict[Parameter, QueryValue], Field(max_length=20)]
Headers = Annotated[dict[str, str], AfterValidator(_headers), Field(max_length=20)]


class OnePage(Part):
    """The whole list is in one response."""

    kind: Literal["none"]


class NumberedPages(Part):
    """``page=1``, ``page=2``, …, until an empty page, or as the response says."""

    kind: Literal["number"]
    parameter: Parameter
    """The query parameter with the page's number."""
    first: Annotated[int, Field(ge=0, le=1)] = 1
    """The number of the first page."""
    pages: Expression | None = None
    """How many pages there are."""
    has_more: Expression | None = None
    """Whether there are more: true or false."""


class OffsetPages(Part):
    """``offset=0``, ``offset=100``, …, until an empty page, or as the response says."""

    kind: Literal["offset"]
    parameter: Parameter
    """The query parameter with the number of orders to skip."""
    total: Expression | None = None
    """How many orders there are."""
    has_more: Expression | None = None
    """Whether there are more: true or false."""


class CursorPages(Part):
    """A cursor in the response, sent back for the next page; the last page has none."""

    kind: Literal["cursor"]
    parameter: Parameter
    """The query parameter with the cursor."""
    next: Expression
    """The cursor of the next page."""
    has_more: Expression | None = None
    """Whether there are more: true or false."""


class UrlPages(Part):
    """The next page's URL in the response. It has to be below base_url."""

    kind: Literal["url"]
    next: Expression
    """The next page's URL."""


class LinkPages(Part):
    """The next page's URL in a Link header (RFC 8288). It has to be below base_url."""

    kind: Literal["link"]


Pages = Annotated[
    OnePage | NumberedPages | OffsetPages | CursorPages | UrlPages | LinkPages,
    Field(discriminator="kind"),
]


class Since(Part):
    """The parameter that requests only orders that changed since a time."""

    parameter: Parameter
    """The query parameter with the time."""
    format: Annotated[str, Field(max_length=40)] = "iso"
    """``iso`` (2026-03-01T09:00:00Z), ``unix``, ``unix_milliseconds``, or a pattern such as
    ``%Y-%m-%d %H:%M:%S`` in the file's time zone."""
    value: Annotated[str, Field(max_length=200)] = "{since}"
    """The parameter's value, with the time at ``{since}``. Other braces stay as they are."""

    @model_validator(mode="after")
    def _check(self) -> "Since":
        if "{since}" not in self.value:
            raise ValueError("value must have {since}")
        if self.format not in ("iso", "unix", "unix_milliseconds") and "%" not in self.format:
            raise ValueError("format must be iso, unix, unix_milliseconds, or a pattern with %")
        return self


class PageSize(Part):
    """The parameter that sets how many orders a page has; ``most`` is the provider's limit."""

    parameter: Parameter
    """The query parameter with the page's size."""
    most: Annotated[int, Field(ge=1, le=10_000)]
    """The provider's limit."""


class Signature(Part):
    """How webhooks are signed (``milepost.webhooks.signature_schemes``)."""

    header: Header
    """The header with the signature."""
    algorithm: Literal["sha1", "sha256", "sha512", "ed25519", "none"] = "sha256"
    """The hash of the HMAC; ``ed25519``; or ``none`` if the header has the secret itself."""
    encoding: Literal["hex", "base64", "text"] = "hex"
    """How the signature is written in the header."""
    key: Literal["text", "hex", "base64", "whsec"] = "text"
    """How the secret is written. ``whsec`` is the form of Standard Webhooks."""
    signed: Annotated[str, Field(max_length=40)] = "{body}"
    """What is signed, such as ``{id}.{timestamp}.{body}``."""
    prefix: Annotated[str, Field(max_length=40)] = ""
    """Text before the signature, such as ``sha256=``."""
    delimiter: Annotated[str, Field(max_length=40)] = ""
    """What separates several signatures, or parts, in the header."""
    timestamp_header: Header | None = None
    """The header with the time of sending."""
    timestamp_prefix: Annotated[str, Field(max_length=40)] | None = None
    """Text before the time of sending, if it is in the signature's header, such as ``t=``."""
    timestamp_unit: Literal["seconds", "milliseconds"] = "seconds"
    """The unit of the time of sending, since 1970."""
    tolerance: Annotated[int, Field(ge=1, le=TOLERANCE_SECONDS)] = TOLERANCE_SECONDS
    """How many seconds the time of sending may be off."""
    id_header: Header | None = None
    """The header with the delivery's id. Without it, a digest of the body is the id."""
    challenge: Parameter | None = None
    """The query parameter of a GET request that is answered with its value."""
    challenge_token: Parameter | None = None
    """The query parameter of that request that has to be a secret."""

    @model_validator(mode="after")
    def _check(self) -> "Signature":
        try:
            self.scheme()
        except BadScheme as error:
            raise ValueError(str(error)) from None
        return self

    def scheme(self) -> SignatureScheme:
        said = self.model_dump()
        for name in ("header", "timestamp_header", "id_header"):
            said[name] = said[name] and said[name].lower()
        return read_scheme(said)


def _scheme_name(text: str) -> str:
    if text not in SCHEMES:
        raise ValueError(f"must be {' or '.join(SCHEMES)}, or the parameters of a signature")
    return text


SchemeName = Annotated[str, AfterValidator(_scheme_name)]
