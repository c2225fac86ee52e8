"""Sanitizes text from outside: one line, limited in length, without invisible characters.

Names, notes and reasons are hostile input. What a provider wrote may not start a header, hide a
character, turn the direction of the text around it, or push a mail out of its frame. A text of
which nothing can be seen is no text.
"""

import re
import textwrap
import unicodedata
from collections.abc import Iterable
from typing import Final

from markupsafe import Markup

WIDTH: Final = 78
"""Characters of a line of plain text. Source: RFC 5322, section 2.1.1."""
LONGEST_VALUE: Final = 600
LONGEST_SUBJECT: Final = 150
_LONGEST_LINK: Final = 300
_MOST_MARKS: Final = 4
_READ: Final = 4 * LONGEST_VALUE
"""Characters looked at: enough that a value is full even if most of them are dropped."""

_DANGLING: Final = " ,;:-\N{EN DASH}"
_SPACES: Final = frozenset({"Cc", "Zl", "Zp", "Zs"})
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL"})
_JOINERS: Final = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
_JOINED: Final = frozenset({"Lo", "Mn", "Mc", "So", "Sk"})
"""Categories between which a joiner changes what is seen: letters of Persian and of the scripts of
India, and emoji. Latin, Greek and Cyrillic letters are of others."""
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that show nothing, the fillers of Hangul and the empty Braille cell."""
_HIDDEN_MARKS: Final = frozenset("\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f")
"""Marks that show nothing. Source: Unicode, Default_Ignorable_Code_Point."""
_SHOWS_NOTHING: Final = frozenset({"Mn", "Mc", "Me", "Cf", "Zs"})
_TWO_STOPS: Final = re.compile(r"(?<=…)\.|(?<![.…])\.(?=\.(?!\.))")


def one_line(text: object) -> str:
    """The text on one line, without control, hidden and direction characters."""
    kept = "".join(_visible(c) for c in unicodedata.normalize("NFC", str(text)))
    made = " ".join(_few_marks(_needed_joiners(kept)).split())
    return made if any(_can_be_seen(c) for c in made) else ""


def clean(text: object, longest: int = LONGEST_VALUE) -> str:
    """A value from outside in the form in which a mail may show it: one line, limited in length."""
    return shorten(one_line(str(text)[:_READ]), longest)


def shorten(text: str, longest: int) -> str:
    """The text, cut at a word if possible, with an ellipsis if it was longer."""
    if len(text) <= longest:
        return text
    cut = text[: longest - 1]
    at_word = cut.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > longest // 2 else cut).rstrip(_DANGLING + _JOINERS) + "…"


def fit_subject(text: str) -> str:
    """A subject: one line of at most 150 characters."""
    return shorten(one_line(text), LONGEST_SUBJECT)


def upper_first(text: str) -> str:
    """The text with a capital first letter, otherwise unchanged."""
    return text[:1].upper() + text[1:]


def runs_right_to_left(value: str) -> bool:
    return not value.isascii() and any(
        unicodedata.bidirectional(c) in _RIGHT_TO_LEFT for c in value
    )


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a block: separated by empty lines, each on one line; markup stays
    markup.
    """
    parts = [one_stop(" ".join(part.split())) for part in re.split(r"\n[ \t]*\n", str(text))]
    kept = [part for part in parts if part]
    return [Markup(part) for part in kept] if isinstance(text, Markup) else kept  # noqa: S704


def wrap(text: str, indent: str = "", first: str | None = None) -> str:
    """The text in lines of at most 78 characters; a link stays whole."""
    wrapper = textwrap.TextWrapper(
        width=WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    room = WIDTH - max(len(indent), len(wrapper.initial_indent))
    words = (part for word in text.split() for part in _breakable(word, room))
    return "\n".join(wrapper.wrap(" ".join(words))) or wrapper.initial_indent.rstrip()


def rows(pairs: Iterable[tuple[str, str]]) -> str:
    """Labels and values in two columns of plain text."""
    listed = [(f"{label}:", value) for label, value in pairs]
    column = min(max((len(label) for label, _ in listed), default=0) + 2, 30)
    return "\n".join(
        wrap(value, " " * column, f"{label} ".ljust(column)) for label, value in listed
    )


def one_stop(text: str) -> str:
    """Remove the sentence's full stop after a value that ends in one ("149,90 kr.")."""
    return _TWO_STOPS.sub("", text)


def tidy(text: str) -> str:
    """Plain text without spaces at line ends and with at most one empty line between its parts."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"


def _visible(character: str) -> str:
    if character in _BLANK:
        return " "
    if character in _HIDDEN_MARKS:
        return ""
    if character.isprintable() or character in _JOINERS:
        return character
    return " " if unicodedata.category(character) in _SPACES else ""


def _needed_joiners(text: str) -> str:
    """Keep joiners within a word or an emoji; elsewhere they can only hide text."""
    if text.isascii() or not any(joiner in text for joiner in _JOINERS):
        return text
    kept: list[str] = []
    for at, character in enumerate(text):
        if character in _JOINERS:
            before, after = kept[-1:], text[at + 1 : at + 2]
            if not before or not after or not (_joins(before[0]) and _joins(after)):
                continue
        kept.append(character)
    return "".join(kept)


def _joins(character: str) -> bool:
    return unicodedata.category(character) in _JOINED


def _can_be_seen(character: str) -> bool:
    return unicodedata.category(character) not in _SHOWS_NOTHING


def _few_marks(text: str) -> str:
    """Limit the combining marks on one letter to the number that languages need."""
    if text.isascii():
        return text
    kept, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)


def _breakable(word: str, room: int) -> Iterable[str]:
    if word.startswith(("https://", "http://")) and len(word) <= _LONGEST_LINK:
        return [word]
    return [word[at : at + room] for at in range(0, len(word), room)]
