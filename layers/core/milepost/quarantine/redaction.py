"""Redacts values that must not be stored from a payload that is otherwise stored byte for byte.

It works on the text, without parsing JSON, since quarantined payloads may be invalid, or nested too
deeply for a parser.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

_SECRETS: Final = (
    "password",
    "passwort",
    "passphrase",
    "iban",
    "bankaccount",
    "bankverbindung",
    "kontonummer",
    "secret",
    "token",
    "authorizationcode",
)
"""Parts of the names of fields with secrets, as one word in lower case."""
_WHOLE: Final = frozenset({"code", "pin", "otp", "cvc", "cvv"})
"""Complete names of fields with secrets: a postcode is not a secret."""
_SAYS_WHETHER: Final = "authorizationcode"
"""An object of this name says whether a code was sent; the code is a field of its own in it."""

_STRING: Final = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_OPEN_STRING: Final = rf"{_STRING[:-1]}\\?\Z"
_WORD: Final = r"[A-Za-z_][\w-]*+"
_COLON: Final = r"""(['"]?\s*+:\s*+)?"""
_NAME: Final = re.compile(rf"({_STRING}|{_OPEN_STRING}|{_WORD}){_COLON}", re.DOTALL)
"""A text, and whether it is the name of a field; outside of JSON, names may have no quotes."""
_NAME_IN_OPEN_STRING: Final = re.compile(rf"({_WORD}){_COLON}")
_TOKEN: Final = re.compile(rf"{_STRING}|'[^']*+'|[\[\]{{}},]|[^\[\]{{}},\"']++", re.DOTALL)
_NOTHING: Final = "null"


def without_secrets(raw: bytes) -> bytes:
    """A payload without the values of its passwords, bank accounts and codes, at any depth.

    Each such value is replaced by ``null``; all other bytes are unchanged.
    """
    text = raw.decode("utf-8", "surrogateescape")
    return "".join(_parts(text)).encode("utf-8", "surrogateescape")


def _parts(text: str) -> Iterator[str]:
    at, names = 0, _NAME
    while name := names.search(text, at):
        if _is_left_open(name[1]):
            # The end of the value is unknown, so only the following words can be checked.
            yield text[at : name.start() + 1]
            at, names = name.start() + 1, _NAME_IN_OPEN_STRING
            continue
        value = name.end()
        yield text[at:value]
        at = value
        if name[2] and _is_secret(_plain(name[1]), begins=text[value : value + 1]):
            yield _NOTHING
            at = _end_of_value(text, value)
    yield text[at:]


def _is_left_open(name: str) -> bool:
    return name.startswith('"') and re.fullmatch(_STRING, name, re.DOTALL) is None


def _plain(name: str) -> str:
    """A field's name as one word in lower case, however it is spelled."""
    with suppress(ValueError):
        name = str(json.loads(name))
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _is_secret(name: str, *, begins: str) -> bool:
    if name == _SAYS_WHETHER and begins == "{":
        return False
    return name in _WHOLE or any(word in name for word in _SECRETS)


def _end_of_value(text: str, start: int) -> int:
    """The end of a value, without the white space after it; an unclosed value ends with the text. A
    text with unescaped quotes extends to the comma or bracket, so that the whole secret is removed.
    """
    open_brackets = 0
    at = start
    while token := _TOKEN.match(text, at):
        if token[0] in "]}," and not open_brackets:
            return start + len(text[start:at].rstrip())
        open_brackets += (token[0] in "[{") - (token[0] in "]}")
        at = token.end()
        if not open_brackets and token[0] in "]}":
            return at
    return len(text)
