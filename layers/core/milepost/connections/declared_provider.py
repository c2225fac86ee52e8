"""A stored declared provider: JSON, by name and version; every version is kept.

``milepost.providers.declared`` interprets the JSON; here it is text of limited size.
"""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

MOST_BYTES: Final = 64 * 1024
"""Maximum size of a provider's JSON in bytes."""
MOST_STORED: Final = 8 * 1024
"""Characters that a parameter can hold."""
_PLAIN: Final = 4 * 1024
_PACKED: Final = "z1:"


class UnusableProvider(Exception):
    """A stored provider can't be used; the message says why, and never quotes it."""


class TooLarge(ValueError):
    """A provider's JSON is too large to be stored."""


@dataclass(frozen=True, slots=True)
class StoredProvider:
    """One version of a provider; ``text`` is its JSON."""

    name: str
    version: int
    text: str

    def __str__(self) -> str:
        return f"{self.name} version {self.version}"


ByVersion: TypeAlias = Mapping[tuple[str, int], StoredProvider]


class Providers(Protocol):
    """The existing providers."""

    def __contains__(self, name: object, /) -> bool:
        """Whether there is an adapter with code by this name."""
        ...

    def check(self, stored: StoredProvider) -> None:
        """:raises UnusableProvider: if a declared provider can't be used"""
        ...


def pack(text: str) -> str:
    """A provider's JSON in the form of a parameter: unchanged, or compressed if it is long.

    :raises TooLarge: says by how much
    """
    content = text.encode()
    if len(content) > MOST_BYTES:
        raise TooLarge(f"{len(content):,} bytes; at most {MOST_BYTES:,} can be stored")
    if len(content) <= _PLAIN:
        return text
    packed = _PACKED + b64encode(zlib.compress(content, 9)).decode()
    if len(packed) > MOST_STORED:
        raise TooLarge(f"{len(packed):,} characters when packed; at most {MOST_STORED:,} fit")
    return packed


def unpack(stored: str) -> str:
    """The original text of a compressed one.

    :raises UnusableProvider: when it was not made by ``pack``
    """
    if not stored.startswith(_PACKED):
        return stored
    try:
        reader = zlib.decompressobj()
        content = reader.decompress(b64decode(stored[len(_PACKED) :], validate=True), MOST_BYTES)
        if reader.unconsumed_tail or not reader.eof:
            raise UnusableProvider("it is incomplete, or too large")
        return content.decode()
    except (ValueError, zlib.error):
        raise UnusableProvider("it can't be unpacked") from None
