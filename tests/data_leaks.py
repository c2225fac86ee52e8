"""Finds data that no log may contain: personal data, secrets, signatures, raw bodies."""

import base64
import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from local.sandboxes import invented_customers

PATTERNS: Final[Mapping[str, re.Pattern[str]]] = {
    "an email address": re.compile(
        # SES's ids of mails look like one.
        r"[\w.+-]+@(?!email\.amazonses\.com\b)[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}"
    ),
    "a signing secret": re.compile(r"whsec_[A-Za-z0-9+/=]{8,}"),
    "a signature": re.compile(r"\bv1,[A-Za-z0-9+/]{43}=|(?i:signature)['\"]?: ?['\"][0-9a-f]{64}"),
    "a token": re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}|[Bb]earer [\w.~+/-]{12,}"),
    "a bank account": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"),
}
"""What can be told by its form, whoever's it is."""
PERSONAL: Final = frozenset(
    {
        *("name", "firstname", "lastname", "fullname", "email", "phone", "phonenumber", "mobile"),
        *("street", "iban", "password", "accountholder", "dateofbirth", "birthdate"),
    }
)
"""Names of fields, written as one word, whose values are people's own."""
_SHORTEST: Final = 5
"""Shorter values are words of any language, and numbers of any kind."""
MADE_UP: Final = frozenset(
    last
    for group in (
        invented_customers.AUSTRALIANS,
        invented_customers.GERMANS,
        invented_customers.GHANAIANS,
        invented_customers.DANES,
    )
    for _, last in group
    if len(last) >= _SHORTEST
) | frozenset(
    place[0]
    for group in (
        invented_customers.AUSTRALIAN_PLACES,
        invented_customers.GERMAN_PLACES,
        invented_customers.GHANAIAN_PLACES,
    )
    for place in group
)
"""Surnames and streets of the sandboxes' customers."""
_MOST_SHOWN: Final = 200


def find_leaks(text: str, *, known: Iterable[str] = (), pieces: Iterable[str] = ()) -> list[str]:
    """Forbidden data in the text, each with the line that contains it.

    :param known: values that may not be there, such as ``personal_values`` finds
    :param pieces: what may not even be there as a part of something longer
    """
    return [*_by_form(text), *_by_value(text, known), *_by_piece(text, pieces)]


def _by_form(text: str) -> Iterator[str]:
    for kind, pattern in PATTERNS.items():
        for found in pattern.finditer(text):
            yield f"{kind}: {_line_around(text, found.start())}"


def _by_value(text: str, known: Iterable[str]) -> Iterator[str]:
    words = set(re.findall(r"\w+", text))
    for value in {form for one in known for form in _forms(one)}:
        # Most values are not there, and one look into a set says so.
        if not words.issuperset(re.findall(r"\w+", value)[1:-1]):
            continue
        whole = re.compile(rf"(?<!\w){re.escape(value)}(?!\w)")
        if value in text and (found := whole.search(text)):
            yield f"a value that is somebody's: {_line_around(text, found.start())}"


def _by_piece(text: str, pieces: Iterable[str]) -> Iterator[str]:
    for piece in {form for one in pieces for form in _forms(one)}:
        if (place := text.find(piece)) >= 0:
            yield f"a raw body: {_line_around(text, place)}"


def pieces_of_body(body: bytes) -> set[str]:
    """The beginning of a body, in its original form and in the form of queues."""
    begins = body[: 45 - 45 % 3]
    return {base64.b64encode(begins).decode(), begins.decode(errors="ignore")}


def _forms(value: str) -> set[str]:
    """A value in its original form, and in JSON, or in JSON within a JSON text."""
    once = json.dumps(value)[1:-1]
    return {value, once, json.dumps(value, ensure_ascii=False)[1:-1], json.dumps(once)[1:-1]}


def _line_around(text: str, place: int) -> str:
    begin = max(text.rfind("\n", 0, place) + 1, place - _MOST_SHOWN)
    end = text.find("\n", place)
    return text[begin : min(end if end >= 0 else len(text), place + _MOST_SHOWN)]


def personal_values(content: Any) -> set[str]:
    """The values of fields with personal data, at any depth."""
    if isinstance(content, list):
        return {value for one in content for value in personal_values(one)}
    if not isinstance(content, Mapping):
        return set()
    found: set[str] = set()
    for name, value in content.items():
        if isinstance(value, str):
            # A name beside a value is that of a field or a header.
            is_personal = re.sub(r"[_-]", "", name.lower()) in PERSONAL and "value" not in content
            found |= {value} if is_personal and len(value) >= _SHORTEST else set()
        else:
            found |= personal_values(value)
    return found


def all_texts(content: Any) -> set[str]:
    """Every text in a secret's content that is long enough to be a secret."""
    if isinstance(content, Mapping):
        content = list(content.values())
    if isinstance(content, list):
        return {text for one in content for text in all_texts(one)}
    return {content} if isinstance(content, str) and len(content) > 2 * _SHORTEST else set()


def _formatters(name: str) -> list[logging.Formatter]:
    """The handlers that write a logger's lines: its own, or those of a parent logger."""
    logger = logging.getLogger(name)
    # The root's handlers are pytest's.
    while logger.parent is not None:
        formatters = [one.formatter for one in logger.handlers if one.formatter is not None]
        if formatters:
            return formatters
        logger = logger.parent
    return []


class Overheard(logging.Handler):
    """Keeps every line in the format of the functions' logger."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        written = [one.format(record) for one in _formatters(record.name)]
        self.lines += written or [logging.Formatter().format(record)]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)
