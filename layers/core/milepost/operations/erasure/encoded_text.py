"""Decodes texts and JSON values in any encoding, so that their parts can be compared.

Data of providers and mail servers may be JSON within JSON, a form, or a mail. A search for a
customer looks at each reading of a text: unchanged, and decoded by each encoding that is found.
"""

import binascii
import html
import itertools
import json
import quopri
import re
import unicodedata
import zlib
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final
from urllib.parse import unquote

DEEPEST: Final = 5
"""Maximum number of nested encodings that are decoded."""
MOST_READINGS: Final = 200
"""Maximum number of readings of one text, so that decoding ends."""
LONGEST_UNPACKED: Final = 4_000_000
"""Maximum number of bytes of a decompressed body that are searched."""

_ESCAPE: Final = re.compile(
    r"(?:\\+u[0-9a-fA-F]{4})+|(?:\\+x[0-9a-fA-F]{2})+|\\+u\{[0-9a-fA-F]{1,6}\}|\\+[/\"'nrt]"
)
_BASE64: Final = re.compile(
    r"(?<![\w+/-])[A-Za-z0-9+/_-]{12,}={0,2}(?:\s*\n\s*[A-Za-z0-9+/_-]+={0,2})*"
)
_HEX: Final = re.compile(r"(?<![0-9A-Za-z])(?:0x)?((?:[0-9a-fA-F]{2}){6,})(?![0-9A-Za-z])")
_ENCODED_WORD: Final = re.compile(r"=\?[\w-]+\?([bBqQ])\?([^?]*)\?=")
_EMAIL: Final = re.compile(
    r"[^\s@<>\",;:()\[\]{}=&?|\\]+@[^\s@<>\"',;:()\[\]{}=&?|\\/!#$%^*+]+\.[^\s@<>\"',;:()\[\]{}=&?|\\/!#$%^*+]+"
)
_NO_TEXT: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd]")
_NEEDLESS_QUOTES: Final = re.compile(r'"([\w.!#$%&\'*+/=?^`{|}~-]+)"@')
"""Around the name of an address that needs none: it is the same mailbox (RFC 5321, 4.1.2)."""
_LAST_CHARACTER: Final = 0x10FFFF
_WORD: Final = re.compile(r"[^\s<>\"'{}\[\]()=&?,;:|\\]+")
_PHRASE_WORD: Final = re.compile(r"[\w'\u2019-]+")
_EDGES: Final = ".-_/#*`'!~+"


def text_of(raw: bytes) -> str:
    """Bytes as text, in any encoding; no input is refused."""
    raw = _unpacked(raw)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    if raw[1:2] == b"\0" or raw[:1] == b"\0":
        return raw.decode("utf-16-le" if raw[1:2] == b"\0" else "utf-16-be", errors="replace")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def is_json(text: str) -> bool:
    """Whether it is a JSON object or list, whose values are read one by one."""
    return value_of(text) is not None


def value_of(text: str) -> Any:
    """The JSON value of a text, which may repeat a key or contain NaN.

    An object is given as its pairs. None if it is neither an object nor a list.
    """
    if text.lstrip("\ufeff \t\r\n")[:1] not in ("{", "["):
        return None
    try:
        found = json.loads(text.lstrip("\ufeff"), object_pairs_hook=Pairs, strict=False)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None


class Pairs(list[tuple[str, Any]]):
    """The members of a JSON object, including repeated names."""


def leaves(value: Any) -> Iterator[str]:
    """Each text and number of a JSON value, including the names of its members."""
    stack = [value]
    while stack:
        match stack.pop():
            case Pairs() as pairs:
                for name, one in pairs:
                    yield name
                    stack.append(one)
            case dict() as members:
                yield from members
                stack += members.values()
            case list() as several:
                stack += several
            case str() as text:
                yield text
            case bool() | None:
                pass
            case number:
                yield str(number)


def readings(text: str) -> list[str]:
    """The text and every text that is encoded in it, in every possible reading."""
    return [reading for part in parts_in(text) for reading in part]


def parts_in(text: str) -> Iterator[list[str]]:
    """The possible readings of a text, then those of each part that is encoded in it.

    The readings of one part are alternatives, as it is and as it reads when it is decoded: JSON
    escapes, percent-encoding, HTML entities, quoted-printable and encoded words, also one within
    another. What another reading shows differently is the same data, and no more of it. Encoded
    parts are base64 and hexadecimal digits. A JSON document is not decoded as a whole, since its
    values are read one by one.
    """
    waiting, seen, left = [(text, 0)], set[str](), MOST_READINGS
    while waiting and left > 0:
        part, depth = waiting.pop(0)
        alternatives = [one for one in _alternatives(part, most=left) if one not in seen]
        seen.update(alternatives)
        left -= len(alternatives)
        if alternatives:
            yield alternatives
        if depth < DEEPEST:
            for one in alternatives:
                if not is_json(one):
                    waiting += [(t, depth + 1) for decode in _PART_DECODERS for t in decode(one)]


def _alternatives(text: str, *, most: int) -> list[str]:
    found = {unicodedata.normalize("NFKC", text): None}
    level = list(found)
    for _ in range(DEEPEST):
        following: dict[str, None] = {}
        for one in level:
            for decode in () if is_json(one) else _DECODERS:
                following |= dict.fromkeys(unicodedata.normalize("NFKC", t) for t in decode(one))
        level = [one for one in following if one not in found][: most - len(found)]
        if not level:
            break
        found |= dict.fromkeys(level)
    return list(found)


def emails_in(text: str) -> Iterator[tuple[str, ...]]:
    """Each possible email address in a text, with and without the surrounding characters."""
    for match in _EMAIL.finditer(_NEEDLESS_QUOTES.sub(r"\1@", text)):
        whole = match[0].rstrip(".")
        yield tuple(dict.fromkeys((whole, whole.strip(_EDGES))))


def is_addresses_only(text: str) -> bool:
    """Whether a text is one address or a list of them, without a display name."""
    rest = _EMAIL.sub(" ", _NEEDLESS_QUOTES.sub(r"\1@", text))
    return not rest.lower().replace("mailto:", " ").strip(" \t\r\n,;<>.")


def words_in(text: str) -> Iterator[str]:
    """Each word of a text in lower case, also the parts of words with slashes or dots."""
    for match in _WORD.finditer(text.casefold()):
        whole = match[0]
        bare = whole.strip(_EDGES)
        yield from dict.fromkeys((whole, bare))
        if "/" in bare or "." in bare or "#" in bare:
            yield from filter(None, re.split(r"[/.#]", bare))


def phrase_of(text: str) -> str:
    """The words of a text in lower case, joined by single spaces."""
    return " ".join(_PHRASE_WORD.findall(text.casefold()))


def phrases_in(text: str, lengths: Iterable[int]) -> Iterator[str]:
    """Each sequence of this many words of a text, as ``phrase_of`` returns them, without its
    addresses."""
    words = _PHRASE_WORD.findall(_EMAIL.sub(" / ", text).casefold())
    for length in lengths:
        for start in range(len(words) - length + 1):
            yield " ".join(words[start : start + length])


def _unpacked(raw: bytes) -> bytes:
    """The decompressed content, if the data is compressed by gzip or zlib (RFC 1950)."""
    if not raw.startswith((b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")):
        return raw
    try:
        return zlib.decompressobj(wbits=47).decompress(raw, LONGEST_UNPACKED)
    except zlib.error:
        return raw


def _json_unescaped(text: str) -> Iterator[str]:
    if "\\" in text:
        yield _ESCAPE.sub(_unescape, text)


def _unescape(match: re.Match[str]) -> str:
    said = re.sub(r"\\+", r"\\", match[0])
    if said.startswith("\\u{"):
        number = int(said[3:-1], 16)
        return chr(number) if number <= _LAST_CHARACTER else match[0]
    if said.startswith("\\u"):
        units = bytes.fromhex(said.replace("\\u", ""))
        return units.decode("utf-16-be", errors="replace")
    if said.startswith("\\x"):
        return text_of(bytes.fromhex(said.replace("\\x", "")))
    return {"n": "\n", "r": "\r", "t": "\t"}.get(said[1], said[1])


def _percent_decoded(text: str) -> Iterator[str]:
    if "%" in text:
        yield unquote(text)
        yield unquote(text, encoding="latin-1")
    if "+" in text and " " not in text:
        yield unquote(text.replace("+", " "))


def _html_unescaped(text: str) -> Iterator[str]:
    if "&" in text:
        yield html.unescape(text)


def _from_quoted_printable(text: str) -> Iterator[str]:
    if re.search(r"=(?:[0-9A-Fa-f]{2}|\r?\n)", text):
        yield text_of(quopri.decodestring(text.encode()))


def _from_encoded_words(text: str) -> Iterator[str]:
    """Source: RFC 2047."""
    if "=?" in text:
        yield _ENCODED_WORD.sub(_encoded_word, re.sub(r"\?=\s+=\?", "?==?", text))


def _encoded_word(match: re.Match[str]) -> str:
    kind, content = match.groups()
    if kind in "bB":
        return next(_decoded([content]), match[0])
    return text_of(quopri.decodestring(content.encode(), header=True))


def _from_base64(text: str) -> Iterator[str]:
    for match in _BASE64.finditer(text):
        lines = match[0].split()
        # A line before or after it, such as the boundary of a mail's part, may look like base64.
        parts = (lines, lines[:-1], lines[1:], lines[1:-1])
        found = _decoded("".join(part) for part in parts if part)
        yield from itertools.islice(found, 1)


def _from_hex(text: str) -> Iterator[str]:
    for match in _HEX.finditer(text):
        yield from _readable(bytes.fromhex(match[1]))


def _decoded(tokens: Iterable[str]) -> Iterator[str]:
    for token in tokens:
        plain = token.rstrip("=").replace("-", "+").replace("_", "/")
        try:
            raw = b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        except (binascii.Error, ValueError):
            continue
        yield from _readable(raw)


def _readable(raw: bytes) -> Iterator[str]:
    """These bytes as text, in any charset; empty if they are not text."""
    said = text_of(raw)
    if not _NO_TEXT.search(said):
        yield said


_DECODERS: Final[tuple[Callable[[str], Iterator[str]], ...]] = (
    _json_unescaped,
    _percent_decoded,
    _html_unescaped,
    _from_quoted_printable,
    _from_encoded_words,
)
_PART_DECODERS: Final[tuple[Callable[[str], Iterator[str]], ...]] = (_from_base64, _from_hex)
