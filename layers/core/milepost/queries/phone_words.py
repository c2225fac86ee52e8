"""Phone numbers as search words: E.164 and national form. Short: one rule.

Whether two spellings are one customer's number is decided in ``common.phone_numbers``.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

from milepost.queries.search_words import LONGEST_WORD, Reading

FEWEST_DIGITS: Final = 7
"""Minimum number of digits of a whole telephone number."""


def phone_words(phone: str, *, country: str | None) -> tuple[str, ...]:
    """The words by which a number is found in any spelling.

    :param country: the country of a number without a country code (ISO 3166-1, two letters)
    """
    # Most functions process no numbers, and the tables take a tenth of a second to import.
    import phonenumbers  # noqa: PLC0415 - see above

    text = unicodedata.normalize("NFKC", phone).strip()
    if text.startswith("00"):
        # Nearly every country dials it for calls abroad, and people write it in others as well.
        text = f"+{text[2:]}"
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        digits = "".join(character for character in text if character.isdecimal())
        return (digits.lstrip("0")[:LONGEST_WORD],) if digits.strip("0") else ()
    national = phonenumbers.national_significant_number(number)
    return (f"{number.country_code}{national}", national)


def phone_readings(query: str, *, countries: Iterable[str]) -> tuple[Reading, ...]:
    """The query, read as a phone number of these countries; empty if it can't be one."""
    digits = sum(character.isdecimal() for character in query)
    if digits < FEWEST_DIGITS or any(character.isalpha() for character in query):
        return ()
    numbers = (phone_words(query, country=country) for country in sorted(set(countries)))
    return tuple(dict.fromkeys(((words[0],),) for words in numbers if words))
