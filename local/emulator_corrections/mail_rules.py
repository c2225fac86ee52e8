"""Checks a `SendEmail` request by SES's documented rules.

The emulator takes any request. Without this a mail that AWS would never send would be shown as
delivered here. Which identities are verified the emulator checks itself.

Sources: Amazon SES API v2, `SendEmail`, `Destination`, `MessageHeader`, `MessageTag`, `Content`;
Amazon SES developer guide, "Service quotas" and "Amazon SES header fields".
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from email_validator import EmailNotValidError, validate_email

MOST_RECIPIENTS: Final = 50
MOST_HEADERS: Final = 15
MOST_TAGS: Final = 50
LONGEST_HEADER_NAME: Final = 126
LONGEST_HEADER_VALUE: Final = 870
LONGEST_TAG: Final = 256
MOST_BYTES: Final = 40 * 1024 * 1024
"""Of a message, its parts in base64."""
LONGEST_LINE: Final = 998
"""Characters of a header line (RFC 5322, section 2.1.1); a subject is not folded for us."""

_HEADER_NAME: Final = re.compile(r"[!-9;-@A-~]+")
_HEADER_VALUE: Final = re.compile(r"[ -~]+")
_TAG: Final = re.compile(r"[A-Za-z0-9_-]+")
_SET_BY_SES: Final = frozenset({"from", "to", "cc", "bcc", "subject", "reply-to", "return-path"})
"""Headers for which a request has fields of its own."""
_RECIPIENT_FIELDS: Final = ("ToAddresses", "CcAddresses", "BccAddresses")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The error with which SES responds."""

    code: str
    message: str


class _Refused(Exception):
    """Contains what is wrong with a request, as text."""


def why_refused(
    request: Mapping[str, Any], *, has_configuration_set: Callable[[str], bool]
) -> Refusal | None:
    """The error with which SES responds to this request; None if SES accepts it.

    :param request: the body of a `SendEmail` request with simple content
    :param has_configuration_set: whether there is a configuration set of this name
    """
    name = request.get("ConfigurationSetName")
    if name is not None and not has_configuration_set(name):
        return Refusal("NotFoundException", f"Configuration set <{name}> does not exist.")
    try:
        _check_addresses(request)
        _check_tags(request.get("EmailTags") or [])
        simple = (request.get("Content") or {}).get("Simple")
        if simple is not None:
            _check_content(simple)
            _check_headers(simple.get("Headers") or [])
    except _Refused as refused:
        return Refusal("BadRequestException", str(refused))
    size = _size(request)
    if size > MOST_BYTES:
        return Refusal("MessageRejected", f"The message has {size} bytes; {MOST_BYTES} may be.")
    return None


def _check_addresses(request: Mapping[str, Any]) -> None:
    destination = request.get("Destination") or {}
    recipients = [one for field in _RECIPIENT_FIELDS for one in destination.get(field) or []]
    if not recipients:
        raise _Refused("The message has no recipient.")
    if len(recipients) > MOST_RECIPIENTS:
        raise _Refused(f"The message has {len(recipients)} recipients; {MOST_RECIPIENTS} may be.")
    senders = [request.get("FromEmailAddress") or ""]
    for address in (*senders, *recipients, *(request.get("ReplyToAddresses") or [])):
        _check_address(address)


def _check_address(address: str) -> None:
    if not address.isascii():
        raise _Refused(
            f"{address!r} is not 7-bit ASCII: a domain is written in Punycode, a name as an "
            "encoded word (RFC 2047), and the part before the @ in ASCII."
        )
    try:
        validate_email(
            address,
            allow_smtputf8=False,
            allow_display_name=True,
            allow_quoted_local=True,
            strict=True,
            check_deliverability=False,
        )
    except EmailNotValidError as error:
        raise _Refused(f"{address!r} is not an address. {error}") from None


def _check_tags(tags: list[Mapping[str, Any]]) -> None:
    if len(tags) > MOST_TAGS:
        raise _Refused(f"The message has {len(tags)} tags; {MOST_TAGS} may be.")
    for tag in tags:
        for text in (tag.get("Name") or "", tag.get("Value") or ""):
            if not _TAG.fullmatch(text) or len(text) > LONGEST_TAG:
                raise _Refused(
                    f"{text[:80]!r} is not a tag's name or value: they have 1 to {LONGEST_TAG} "
                    "ASCII letters, digits, underscores and dashes."
                )


def _check_content(simple: Mapping[str, Any]) -> None:
    subject, body = simple.get("Subject"), simple.get("Body") or {}
    if subject is None:
        raise _Refused("The message has no subject.")
    parts = [body[name] for name in ("Text", "Html") if body.get(name) is not None]
    if not parts:
        raise _Refused("The message has neither text nor HTML.")
    for part in (subject, *parts):
        if not part.get("Data", "").isascii() and not part.get("Charset"):
            raise _Refused("Content of other than 7-bit ASCII has to name its charset.")
    if any(ord(character) < ord(" ") for character in subject.get("Data", "")):
        raise _Refused("The subject has a control character.")
    if len(subject.get("Data", "")) > LONGEST_LINE - len("Subject: "):
        raise _Refused(f"The subject is longer than a line of {LONGEST_LINE} characters.")


def _check_headers(headers: list[Mapping[str, Any]]) -> None:
    if len(headers) > MOST_HEADERS:
        raise _Refused(f"The message has {len(headers)} headers; {MOST_HEADERS} may be.")
    seen: set[str] = set()
    for header in headers:
        name, value = header.get("Name") or "", header.get("Value") or ""
        if not _HEADER_NAME.fullmatch(name) or len(name) > LONGEST_HEADER_NAME:
            raise _Refused(f"{name[:80]!r} is not the name of a header.")
        if not _HEADER_VALUE.fullmatch(value):
            raise _Refused(f"The header {name} is empty, or has other than printable ASCII.")
        if len(value) > LONGEST_HEADER_VALUE:
            raise _Refused(
                f"The header {name} has {len(value)} characters; {LONGEST_HEADER_VALUE} may be."
            )
        if name.lower() in _SET_BY_SES | seen:
            raise _Refused(f"The header {name} can't be set, or not twice.")
        seen.add(name.lower())


def _size(request: Mapping[str, Any]) -> int:
    """The minimum size of the message in bytes, with its parts in base64."""
    return sum(4 * -(-len(text.encode(errors="replace")) // 3) for text in _texts(request))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
