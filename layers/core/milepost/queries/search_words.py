"""Words by whose beginnings orders are found, and whether an order has all words of a query.

A text is split at white space. A piece such as ``SP-2026-90012`` counts from the start of each of
its parts on, without the marks between them: ``sp202690012``, ``202690012``, ``90012``. Case,
width and accents make no difference, and ``Müller``, ``Muller`` and ``Mueller`` are one name.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

LONGEST_WORD: Final = 40
"""Characters of a word that are compared."""
MOST_STARTS: Final = 4
"""Parts of one piece from which it is found."""
MOST_QUERY_WORDS: Final = 8
"""Words of a query that are looked at."""
_SHORTEST_NUMBER: Final = 5
"""Digits from which on a number may be a telephone number with zeros before it."""

_PART: Final = re.compile(r"[^\W_]+")
_NUMERIC: Final = re.compile(r"[\d+()./-]+")
_TRUNK_ZERO: Final = re.compile(r"(?<=\d)\s*\(\s*0\s*\)")
"""The zero of ``+49 (0)30``, which is dialled within the country alone."""
_TRANSCRIBED: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_WITHOUT_MARKS: Final = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d"})
"""Letters that Unicode does not take apart."""

Spellings: TypeAlias = tuple[str, ...]
Reading: TypeAlias = Sequence[Spellings]
"""One way to read a query: its words, each in every spelling; an order has to have them all."""


def words_of(text: str) -> Iterator[str]:
    """The words that a text is found by; some may come twice."""
    for piece in text.split():
        for spelling in _spellings(piece):
            parts = _PART.findall(spelling)
            for start in range(min(len(parts), MOST_STARTS)):
                yield "".join(parts[start:])[:LONGEST_WORD]


def readings_of(query: str) -> tuple[Reading, ...]:
    """The ways to read a query; none when it has no letter and no digit.

    Its words may be words of their own, or groups of one number: ``030 1234 56``. So runs of
    numbers are also read as one, and all of a query that has a digit.
    """
    pieces = _TRUNK_ZERO.sub("", unicodedata.normalize("NFKC", query)).split()[:MOST_QUERY_WORDS]
    ways: list[list[str]] = [pieces, _with_joined_numbers(pieces)]
    if any(character.isdigit() for character in query):
        ways.append(["".join(pieces)])
    read = (tuple(words for one in way if (words := _query_spellings(one))) for way in ways)
    return tuple(dict.fromkeys(one for one in read if one))


def has_words(query: str, words: Collection[str]) -> bool:
    """Whether some way to read the query finds each of its words among these, as a beginning.

    :param words: what ``words_of`` gave
    """
    return any(_has_all(reading, words) for reading in readings_of(query))


def text_has_words(query: str, texts: Iterable[str | None]) -> bool:
    """The same for texts; None is none."""
    return has_words(query, {word for text in texts if text for word in words_of(text)})


def _has_all(reading: Reading, words: Collection[str]) -> bool:
    return all(any(word.startswith(spellings) for word in words) for spellings in reading)


def _spellings(piece: str) -> Spellings:
    lower = unicodedata.normalize("NFKC", piece).casefold()
    return tuple(dict.fromkeys((_plain(lower), _plain(lower.translate(_TRANSCRIBED)))))


def _plain(lower: str) -> str:
    decomposed = unicodedata.normalize("NFKD", lower.translate(_WITHOUT_MARKS))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _query_spellings(piece: str) -> Spellings:
    found: dict[str, None] = {}
    for spelling in _spellings(piece):
        word = "".join(_PART.findall(spelling))[:LONGEST_WORD]
        if word:
            found[word] = None
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
