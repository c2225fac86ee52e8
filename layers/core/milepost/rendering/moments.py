"""Dates, times and amounts, in the recipient's language and the order's time zone."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from babel import localedata
from babel.dates import (
    format_date,
    format_skeleton,
    format_time,
    get_timezone_location,
    get_timezone_name,
)
from babel.numbers import format_currency, format_decimal

from milepost.rendering.plain import clean
from milepost.rendering.words import Words
from milepost.timestamps import (
    EARLIEST,
    LATEST,
    NotATime,
    in_zone,
    read_iso,
    stored_day,
    stored_moment,
)

_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_ABBREVIATION: Final = re.compile(r"[^\W\d]+")
_CENTS: Final = -2


def locale_for(language: str, asked: str, country: str = "") -> str:
    """The locale for dates: the mail's language, with the recipient's region or the country's.

    :param language: the language that the mail is written in
    :param asked: what the recipient asked for, such as ``en-AU``
    :param country: where the order is delivered, when the recipient names no region
    """
    own, _, region = asked.replace("_", "-").partition("-")
    named = region.upper() if own.lower() == language else ""
    for part in (named, country.upper()):
        if part.isalnum() and localedata.exists(f"{language}_{part}"):
            return f"{language}_{part}"
    # English alone would be American: month before day.
    return "en_GB" if language == "en" else language


def _is_out_of_range(value: str | datetime) -> bool:
    try:
        year = read_iso(str(value)).year
    except NotATime:
        return False
    return not EARLIEST.year <= year < LATEST.year


class Moments:
    """How one mail says when and how much.

    :param asked: the recipient's language as it was asked for
    """

    def __init__(
        self, *, language: str, asked: str, time_zone: str, words: Words, country: str = ""
    ) -> None:
        self._zone = ZoneInfo(time_zone)
        self._locale = locale_for(language, asked, country)
        self._amounts = locale_for(language, asked)
        self._words = words["moments"]

    def full(self, value: str | datetime | None) -> str | None:
        """Weekday, day, month, year, and for an instant its time and time zone."""
        found = self._read(value)
        if not isinstance(found, datetime):
            return self._day_or_text(found, value, "full")
        return str(
            self._words["moment"].format(
                date=format_date(found.date(), "full", locale=self._locale),
                time=self._time(found),
                zone=self.zone_at(found),
            )
        )

    def day(self, value: str | datetime | None) -> str | None:
        """Weekday, day, month and year, without a time."""
        found = self._read(value)
        return self._day_or_text(found, value, "full")

    def short(self, value: str | datetime | None) -> str | None:
        """Weekday, day and month in short, and an instant's time: for subjects and lists."""
        found = self._read(value)
        if found is None:
            return self._day_or_text(found, value, "medium")
        day = format_skeleton("MMMEd", found, tzinfo=self._zone, locale=self._locale)
        return f"{day}, {self._time(found)}" if isinstance(found, datetime) else str(day)

    def amount(self, amount: Decimal | None, currency: str | None) -> str | None:
        """An amount with its currency, exact: rounded to no fewer digits than it has."""
        if amount is None or not amount.is_finite():
            return None
        if not currency or not _CURRENCY.fullmatch(currency):
            plain = format_decimal(amount, locale=self._amounts, decimal_quantization=False)
            return clean(f"{plain} {currency or ''}", 60)
        whole = int(amount.normalize().as_tuple().exponent) >= _CENTS
        return format_currency(
            amount, currency, locale=self._amounts, decimal_quantization=whole
        ).replace("\N{NO-BREAK SPACE}", " ")

    def zone_at(self, moment: datetime) -> str:
        """The time zone as people call it: its abbreviation, or the time of its city."""
        local = in_zone(moment, self._zone)
        name = get_timezone_name(local, width="short", locale=self._locale)
        if _ABBREVIATION.fullmatch(name):
            return name
        city = get_timezone_location(self._zone, locale=self._locale, return_city=True)
        return str(self._words["zone_of"].format(city=city))

    def _time(self, moment: datetime) -> str:
        text = format_time(moment, "short", tzinfo=self._zone, locale=self._locale)
        # CLDR parts "1:00 pm" by a narrow space that some mail programs show as a box.
        return text.replace("\N{NARROW NO-BREAK SPACE}", " ")

    def _read(self, value: str | datetime | None) -> date | datetime | None:
        if isinstance(value, datetime):
            return in_zone(value, self._zone)
        moment = stored_moment(value)
        return stored_day(value) or (in_zone(moment, self._zone) if moment else None)

    def _day_or_text(
        self, found: date | datetime | None, value: str | datetime | None, length: str
    ) -> str | None:
        """What is no date stays as the provider wrote it: better than nothing.

        A date of a year that can't be right is nothing.
        """
        if found is None:
            return clean(value, 60) if value and not _is_out_of_range(value) else None
        day = found.date() if isinstance(found, datetime) else found
        return format_date(day, length, locale=self._locale)
