"""Phone numbers in one form, so that spellings of one number are recognized as the same.

No library of numbering plans: only whether two numbers are one has to be known, and neither whether
a number exists nor how a country writes it.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from milepost.common.calling_codes import calling_code

FEWEST_DIGITS: Final = 7
"""Shorter ones are extensions and short codes, which many people share."""
MOST_DIGITS: Final = 15
"""Source: ITU-T E.164, section 6: an international number has at most 15 digits."""

_ONE_DIGIT_CODES: Final = ("1", "7")
_TWO_DIGIT_CODES: Final = re.compile("2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]")
"""Calling codes (ITU-T E.164, list of assigned country codes); all others have three digits."""
_TRUNK_ZERO: Final = re.compile(r"\(\s*0\s*\)")
"""The zero of ``+49 (0)30``, which is dialled within the country alone."""
_WRITTEN: Final = re.compile(r"(?<![\w+])(?:\+\s?)?\(?\d(?:[ \t()/.\-\u2010-\u2015]*\d){6,}(?!\w)")
_UUID: Final = re.compile(r"(?i)\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_GROUP: Final = re.compile(r"\+?\s?\d+")
_INTERNATIONAL: Final = ("+", "00")
_MOST_GROUPS: Final = 12


@dataclass(frozen=True, slots=True)
class PhoneForms:
    """Two numbers are the same if the ``known`` form of one equals an ``asked`` form of the other.

    A national number may be one of any country; two international ones have to agree in theirs.
    """

    known: frozenset[str]
    asked: frozenset[str]


_NONE: Final = PhoneForms(frozenset(), frozenset())


def phone_forms(text: str) -> PhoneForms:
    """The forms of a number in any spelling; empty if the text isn't a number."""
    plain = _TRUNK_ZERO.sub("", unicodedata.normalize("NFKC", text)).strip()
    digits = "".join(str(unicodedata.digit(c)) for c in plain if c.isdigit())
    if not FEWEST_DIGITS <= len(digits) <= MOST_DIGITS + 2:
        return _NONE
    if plain.lstrip("( ").startswith("+"):
        return _international(digits)
    if digits.startswith("00"):
        rest = digits[2:]
        forms = _international(rest)
        # Some write the zero of the area twice: 0030 instead of 030.
        return PhoneForms(forms.known, forms.asked | {f"national {rest}"})
    if digits.startswith("0"):
        rest = digits.lstrip("0")
        return PhoneForms(frozenset({f"national {rest}", f"of any {rest}"}), _one("national", rest))
    both = _international(digits)
    return PhoneForms(
        both.known | {f"national {digits}", f"of any {digits}"},
        both.asked | {f"national {digits}"},
    )


def dialled_forms(text: str, *, country: str | None = None) -> tuple[str, ...]:
    """The digits in which the number may have been written: with and without its country code.

    :param country: whose number it is when it names none (ISO 3166-1, two letters)
    """
    plain = _TRUNK_ZERO.sub("", unicodedata.normalize("NFKC", text)).strip()
    digits = "".join(str(unicodedata.digit(c)) for c in plain if c.isdigit())
    if plain.lstrip("( ").startswith("+"):
        return _spellings(digits)
    if digits.startswith("00"):
        return _spellings(digits[2:])
    forms = [digits]
    code = calling_code(country) if country is not None else None
    if len(digits) >= FEWEST_DIGITS and code is not None:
        forms += _spellings(code + digits.lstrip("0"))
    if len(digits) >= FEWEST_DIGITS and not digits.startswith("0"):
        forms += _spellings(digits)
    return tuple(dict.fromkeys(forms))


def _spellings(international: str) -> tuple[str, ...]:
    """Variants of the digits after the plus: without the country code, and with a superfluous
    zero.
    """
    after_code = _national_part(international)
    code = international[: len(international) - len(after_code)]
    national = after_code.lstrip("0") or after_code
    numbers = (international, f"{code}{national}", f"{code}0{national}")
    with_country = (f"{zeros}{one}" for one in numbers for zeros in ("", "00"))
    return tuple(dict.fromkeys((*with_country, f"0{national}", national)))


@dataclass(frozen=True, slots=True)
class NumberInText:
    """A possible phone number in a text.

    ``is_whole`` is whether it is written as one: with a ``+`` or a zero in front, or as the digits
    of its country and all others, and with nothing after it that may belong to it.
    """

    forms: PhoneForms
    is_whole: bool


def numbers_in(text: str) -> Iterator[NumberInText]:
    """The possible phone numbers in a text: each run of digits, and each part of one that is
    written in groups, since another number may be next to it."""
    for match in _WRITTEN.finditer(_UUID.sub(" ; ", _TRUNK_ZERO.sub("", text))):
        groups = _GROUP.findall(match[0])[:_MOST_GROUPS]
        begins = _INTERNATIONAL if groups[0].startswith(_INTERNATIONAL) else ("+", "0")
        for start, first in enumerate(groups):
            if start == 0 or first.startswith(begins):
                for end in range(start + 1, len(groups) + 1):
                    ends = end == len(groups) or groups[end].startswith(begins)
                    yield from _readings(" ".join(groups[start:end]), ends=ends)


def _readings(text: str, *, ends: bool) -> Iterator[NumberInText]:
    forms = phone_forms(text)
    if text.startswith(("+", "0")):
        yield NumberInText(forms, is_whole=ends)
        return
    # Digits alone, such as an amount or a time, are often as long as a number without its country.
    yield NumberInText(forms, is_whole=False)
    with_country = frozenset(one for one in forms.asked if one.startswith("international"))
    yield NumberInText(PhoneForms(forms.known, with_country), is_whole=ends)


def _international(digits: str) -> PhoneForms:
    after_code = _national_part(digits)
    code = digits[: len(digits) - len(after_code)]
    # The zero within +49 030 is one too many.
    national = after_code.lstrip("0") or after_code
    whole = f"international {code}{national}"
    return PhoneForms(
        frozenset({whole, f"national {national}"}), frozenset({whole, f"of any {national}"})
    )


def _national_part(digits: str) -> str:
    if digits.startswith(_ONE_DIGIT_CODES):
        return digits[1:]
    return digits[2:] if _TWO_DIGIT_CODES.match(digits) else digits[3:]


def _one(kind: str, digits: str) -> frozenset[str]:
    return frozenset({f"{kind} {digits}"})
