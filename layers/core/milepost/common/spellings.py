"""Spellings of one name or word: accents, umlauts, case. Short: search and erasure share it.

Case, width and accents make no difference, and ``Müller``, ``Muller`` and ``Mueller`` are one name.
"""

import unicodedata
from typing import Final

_TRANSCRIBED: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_WITHOUT_MARKS: Final = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d"})
"""Letters that Unicode does not take apart."""


def spellings_of(text: str) -> tuple[str, ...]:
    """The text in lower case and without accents; and, if different, with umlauts written out."""
    lower = unicodedata.normalize("NFKC", text).casefold()
    return tuple(dict.fromkeys((_plain(lower), _plain(lower.translate(_TRANSCRIBED)))))


def visible(text: str) -> str:
    """The text without invisible characters: soft hyphens, zero-width characters, and control
    characters except spaces."""
    return "".join(
        c for c in text if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf", "Cn")
    )


def _plain(lower: str) -> str:
    decomposed = unicodedata.normalize("NFKD", lower.translate(_WITHOUT_MARKS))
    return "".join(c for c in decomposed if not unicodedata.combining(c))
