"""Words for search by prefix, and whether an order has all words of a query.

A text is split at white space. A piece such as ``SP-2026-90012`` is found from the start of each of
its parts, without the separators: ``sp202690012``, ``202690012``, ``90012``. Case, width and
accents make no difference, and ``Müller``, ``Muller`` and ``Mueller`` are one name.

A name or an address is also found from the start of each of its words, followed by the others:
``anna schmidt`` and ``schmidt anna``. So a query may have one word of it, or two.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from milepost.common.spellings import spellings_of

LONGEST_WORD: Final = 40
"""Maximum number of characters of a word that are compared."""
MOST_STARTS: Final = 4
"""Maximum number of parts of one piece from which it is found."""
MOST_QUERY_WORDS: Final = 8
"""Maximum number of words of a query."""
LONGEST_PHRASE: Final = 60
"""Maximum number of characters of a name or an address that are compared, from one of its words."""
MOST_PHRASES: Final = 6
"""Maximum number of words of a name or an address from which it is found."""
_SHORTEST_START: Final = 3
"""Minimum length of a part of an id by which it is found, and not only by the parts before."""
_SHORTEST_NUMBER: Final = 5
"""Minimum number of digits of a telephone number with leading zeros."""

_PART: Final = re.compile(r"[^\W_]+")
_NUMERIC: Final = re.compile(r"[\d+()./-]+")
_HOUSE_AFTER_DOT: Final = re.compile(r"(?<=[^\W\d]\.)(?=\d)")
"""The position at which a number follows an abbreviation directly: ``Hauptstr.7``."""
_TRUNK_ZERO: Final = re.compile(r"(?<=\d)\s*\(\s*0\s*\)")
"""The zero of ``+49 (0)30``, which is dialled only within the country."""
_UUID: Final = re.compile(r"[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}", re.IGNORECASE)
_ABBREVIATED: Final = {
    "rd": "road",
    "blvd": "boulevard",
    "ln": "lane",
    "ct": "court",
    "pde": "parade",
    "hwy": "highway",
}
"""Abbreviations of streets that don't begin like the full word."""
_BEGUN: Final = {
    "st": "street",
    "ave": "avenue",
    "av": "avenue",
    "dr": "drive",
    "sq": "square",
    "ter": "terrace",
    "cres": "crescent",
    "pl": "platz",
}
"""Abbreviations of streets that do: in an address they are written out, so that a query with the
abbreviation finds the full word."""
_STREET_ENDS: Final = re.compile(r"(?<=\w)(str|g|v)\.?$|^str\.?$")
_ENDS: Final = {"str": "strasse", "g": "gade", "v": "vej"}
"""Ends of streets' words: ``Hauptstr.``, and in Danish ``Nørreg.`` and ``Vesterv.``."""

Spellings: TypeAlias = tuple[str, ...]
Reading: TypeAlias = Sequence[Spellings]
"""One way to read a query: its words, each in every spelling; an order has to have them all."""


def words_of(text: str) -> Iterator[str]:
    """The words by which a text is found, possibly with duplicates."""
    for piece in text.split():
        for spelling in spellings_of(piece):
            parts = _PART.findall(spelling)
            for start in range(min(len(parts), MOST_STARTS)):
                yield "".join(parts[start:])[:LONGEST_WORD]


def phrases_of(text: str) -> Iterator[str]:
    """The entries by which a name or a place is found: from each of its words on, followed by its
    other words."""
    for spelling in spellings_of(text):
        pieces = [one for piece in spelling.split() if (one := "".join(_PART.findall(piece)))]
        for place in range(min(len(pieces), MOST_PHRASES)):
            yield " ".join(pieces[place:] + pieces[:place])[:LONGEST_PHRASE]
        # The later parts of names with marks in them, such as Anna-Lena.
        for piece in spelling.split()[:MOST_PHRASES]:
            yield from ("".join(parts)[:LONGEST_WORD] for parts in _later_parts(piece))


def words_of_street(text: str) -> Iterator[str]:
    """The entries by which a street with its number is found: like ``phrases_of``, with
    abbreviations written out."""
    spaced = re.sub(r"(?<=\w\w\.)(?=\w)", " ", text)
    return phrases_of(" ".join(map(_written_out, spaced.split())))


def words_of_email(address: str) -> Iterator[str]:
    """The entries by which an address is found: from each of its words on, except the last one,
    which many addresses share."""
    for spelling in spellings_of(address.strip()):
        parts = _PART.findall(spelling)
        for start in range(max(1, min(len(parts) - 1, MOST_STARTS)) if parts else 0):
            yield "".join(parts[start:])[:LONGEST_WORD]


def words_of_id(text: str) -> Iterator[str]:
    """The entries by which an id or a number is found: without spaces and separators, from each of
    its parts."""
    starts = 1 if _UUID.fullmatch(text.strip()) else MOST_STARTS
    for spelling in spellings_of(text):
        parts = _PART.findall(spelling)
        for start in range(min(len(parts), starts)):
            word = "".join(parts[start:])
            if start == 0 or len(word) >= _SHORTEST_START:
                yield word[:LONGEST_WORD]


def _later_parts(piece: str) -> Iterator[list[str]]:
    parts = _PART.findall(piece)
    return (parts[start:] for start in range(1, min(len(parts), MOST_STARTS)))


def _written_out(word: str) -> str:
    bare = word.rstrip(".,").casefold()
    if known := _ABBREVIATED.get(bare) or _BEGUN.get(bare):
        return known
    end = _STREET_ENDS.search(word.rstrip(",").casefold())
    if end is None:
        return word
    name = end[1] or "str"
    if name != "str" and not word.rstrip(",").endswith("."):
        return word
    return word[: end.start()] + _ENDS[name]


def readings_of(query: str) -> tuple[Reading, ...]:
    """The readings of a query; empty if it has neither letters nor digits.

    Its words may be separate words, or groups of one number: ``030 1234 56``. So sequences of
    numbers are also read as one, and so is a whole query that has a digit.
    """
    text = _TRUNK_ZERO.sub("", unicodedata.normalize("NFKC", query))
    pieces = _HOUSE_AFTER_DOT.sub(" ", text).split()[:MOST_QUERY_WORDS]
    ways: list[list[str]] = [pieces, _with_joined_numbers(pieces)]
    if any(character.isdigit() for character in query):
        ways.append(["".join(pieces)])
    read = (tuple(words for one in way if (words := _query_spellings(one))) for way in ways)
    return tuple(dict.fromkeys(one for one in read if one))


def has_words(query: str, words: Collection[str]) -> bool:
    """Whether each word of one reading is a prefix of one of these words.

    :param words: the result of ``words_of``
    """
    return any(has_all_words(reading, words) for reading in readings_of(query))


def text_has_words(query: str, texts: Iterable[str | None]) -> bool:
    """The same for texts; None counts as no text."""
    return has_words(query, {word for text in texts if text for word in words_of(text)})


def has_all_words(reading: Reading, words: Collection[str]) -> bool:
    """The same for one reading of a query."""
    return all(any(word.startswith(spellings) for word in words) for spellings in reading)


def _query_spellings(piece: str) -> Spellings:
    found: dict[str, None] = {}
    for spelling in spellings_of(piece):
        word = "".join(_PART.findall(spelling))[:LONGEST_WORD]
        if word:
            found[word] = None
        if word in _ABBREVIATED:
            found[_ABBREVIATED[word]] = None
        if word.endswith("str"):
            found[f"{word}asse"] = None
        if word.isdecimal() and len(word) >= _SHORTEST_NUMBER and word.strip("0"):
            # National and international prefixes of telephone numbers: 030…, 0049….
            found[word.lstrip("0")] = None
    return tuple(found)


def _with_joined_numbers(pieces: Iterable[str]) -> list[str]:
    joined: list[str] = []
    was_numeric = False
    for piece in pieces:
        is_numeric = _NUMERIC.fullmatch(piece) is not None
        if is_numeric and was_numeric:
            joined[-1] += piece
        else:
            joined.append(piece)
        was_numeric = is_numeric
    return joined
