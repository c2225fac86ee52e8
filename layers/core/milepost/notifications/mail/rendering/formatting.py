"""Dates, times and amounts, in the recipient's language and time zone."""

import re
from collections.abc import Iterable
from datetime import date, datetime, time
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

from milepost.common.timestamps import (
    EARLIEST,
    LATEST,
    NotATime,
    in_zone,
    is_in_range,
    read_iso,
    stored_day,
    stored_moment,
)
from milepost.notifications.mail.rendering.languages import Words
from milepost.notifications.mail.rendering.sanitize import clean

_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_ABBREVIATION: Final = re.compile(r"[^\W\d]+")
_CENTS: Final = -2
_MOST_DIGITS: Final = 30
_LETTER_BY_DIGIT: Final = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
"""Source: CLDR, ``currencySpacing``: a space between a currency's letters and the digits."""


def locale_for(language: str, asked: str, country: str = "") -> str:
    """The locale for dates: the mail's language, with the recipient's region or the country's.

    :param language: the language that the mail is written in
    :param asked: the recipient's language, such as ``en-AU``
    :param country: where the order is delivered, when the recipient names no region
    """
    own, _, region = asked.replace("_", "-").partition("-")
    named = region.upper() if own.lower() == language else ""
    for part in (named, country.upper()):
        if part.isalnum() and localedata.exists(f"{language}_{part}"):
            return f"{language}_{part}"
    # English without a region would be American: month before day.
    return "en_GB" if language == "en" else language


def _is_out_of_range(value: str) -> bool:
    try:
        year = read_iso(value).year
    except NotATime:
        return False
    return not EARLIEST.year <= year < LATEST.year


class Moments:
    """Formats the times and amounts of one mail. No value raises an exception.

    :param asked: the recipient's language
    :param time_zone: the recipient's (IANA name)
    :param order_zone: the order's, if it is another: midnight there means a day
    :param now: when the mail is written, which separates the past from the future
    """

    def __init__(
        self,
        *,
        language: str,
        asked: str,
        time_zone: str,
        words: Words,
        now: datetime,
        country: str = "",
        order_zone: str | None = None,
    ) -> None:
        self._zone = _zone(time_zone)
        self._order_zone = _zone(order_zone or time_zone)
        self._now = now
        self._locale = locale_for(language, asked, country)
        self._amounts = locale_for(language, asked)
        self._words = words["moments"]

    @property
    def now(self) -> datetime:
        """When the mail is rendered."""
        return self._now

    def full(self, value: str | datetime | None) -> str | None:
        """Weekday, day, month and year; for an instant also its time and time zone."""
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
        """Weekday, day, month and year, without a time; for an order's instant, the day in the
        order's zone."""
        return self._day_or_text(self._order_day(value), value, "full")

    def short(self, value: str | datetime | None) -> str | None:
        """Abbreviated weekday, day and month, and the time of an instant: for subjects and lists.
        The year is added if it isn't the current one."""
        found = self._read(value)
        if not isinstance(found, datetime):
            return self._short_day(found, value)
        date, time = self._short_day(found.date(), value), self._time(found)
        return str(self._words["short"].format(date=date, time=time))

    def short_day(self, value: str | datetime | None) -> str | None:
        """The same without a time; for an order's instant, the day in the order's zone."""
        return self._short_day(self._order_day(value), value)

    def is_past(self, value: str | datetime | None) -> bool:
        """Whether it has passed: an instant in the past, or a day that has ended."""
        found = self._read(value)
        if isinstance(found, datetime):
            return found < self._now
        return found is not None and found < self._now.astimezone(self._zone).date()

    def is_ahead(self, value: str | datetime | None) -> bool:
        """Whether it is in the future: a later instant, or a day after today."""
        found = self._read(value)
        if isinstance(found, datetime):
            return found > self._now
        return found is not None and found > self._now.astimezone(self._zone).date()

    def sort_key(self, value: str | datetime | None) -> tuple[str, str]:
        """The sort key for lists by date: the local day, then the time; days without a time come
        first."""
        found = self._read(value)
        if found is None:
            return "", ""
        day = found.date() if isinstance(found, datetime) else found
        return day.isoformat(), found.isoformat() if isinstance(found, datetime) else ""

    def amount(self, amount: Decimal | None, currency: str | None) -> str | None:
        """An amount with its currency, exact: it is not rounded."""
        if amount is None or not amount.is_finite() or abs(amount.adjusted()) > _MOST_DIGITS:
            return None
        if not currency or not _CURRENCY.fullmatch(currency):
            plain = format_decimal(amount, locale=self._amounts, decimal_quantization=False)
            return clean(f"{plain} {currency or ''}", 60)
        whole = int(amount.normalize().as_tuple().exponent) >= _CENTS
        made = format_currency(amount, currency, locale=self._amounts, decimal_quantization=whole)
        return _LETTER_BY_DIGIT.sub(" ", made.replace("\N{NO-BREAK SPACE}", " "))

    def zone_at(self, moment: datetime) -> str:
        """The time zone as people call it: its abbreviation, or a name such as that of its city."""
        local = in_zone(moment, self._zone)
        name = get_timezone_name(local, width="short", locale=self._locale)
        if _ABBREVIATION.fullmatch(name):
            return name
        return self._city_time()

    def zone_of(self, values: Iterable[str | datetime | None], *, otherwise: datetime) -> str:
        """The time zone of several instants. If the clocks change between them, it is named after
        its city, since an abbreviation would be wrong for some of them.

        :param otherwise: whose time zone it is if none of the values has a time
        """
        found = [one for one in map(self._read, values) if isinstance(one, datetime)]
        names = {self.zone_at(one) for one in found or [otherwise]}
        return names.pop() if len(names) == 1 else self._city_time()

    def _city_time(self) -> str:
        city = get_timezone_location(self._zone, locale=self._locale, return_city=True)
        return str(self._words["zone_of"].format(city=city))

    def _order_day(self, value: str | datetime | None) -> date | None:
        found = self._read(value)
        if not isinstance(found, datetime):
            return found
        return in_zone(found, self._order_zone).date() if isinstance(value, str) else found.date()

    def _short_day(self, found: date | None, value: str | datetime | None) -> str | None:
        if found is None:
            return self._day_or_text(found, value, "medium")
        # As a datetime without zone: Babel interprets a date as midnight in UTC, and shifts it.
        noon = datetime.combine(found, time(12))
        is_this_year = found.year == self._now.astimezone(self._zone).year
        skeleton = "MMMEd" if is_this_year else "yMMMEd"
        return str(format_skeleton(skeleton, noon, locale=self._locale))

    def _time(self, moment: datetime) -> str:
        if moment.time() == time():
            # In languages with 12-hour times this would be "12:00 am", which is often misread.
            return format_time(moment, "HH:mm", tzinfo=self._zone, locale=self._locale)
        text = format_time(moment, "short", tzinfo=self._zone, locale=self._locale)
        # CLDR has a narrow space in "1:00 pm" that some mail programs show as a box.
        return text.replace("\N{NARROW NO-BREAK SPACE}", " ")

    def _read(self, value: str | datetime | None) -> date | datetime | None:
        """The day, or the instant in the recipient's zone; None if it is not set or not a date."""
        if isinstance(value, datetime):
            return in_zone(value, self._zone) if is_in_range(value) else None
        if day := stored_day(value):
            return day
        moment = stored_moment(value)
        if moment is None:
            return None
        local = in_zone(moment, self._order_zone)
        # There are no appointments at midnight: it is a day that a program converted to an instant.
        return local.date() if local.time() == time() else in_zone(moment, self._zone)

    def _day_or_text(
        self, found: date | datetime | None, value: str | datetime | None, length: str
    ) -> str | None:
        """Text that isn't a date is shown unchanged. A date in an impossible year is left out."""
        if found is None:
            if not isinstance(value, str) or _is_out_of_range(value):
                return None
            return clean(value, 60) or None
        day = found.date() if isinstance(found, datetime) else found
        return format_date(day, length, locale=self._locale)


def _zone(name: str) -> ZoneInfo:
    """The zone, or UTC for an unknown one: a mail shows the zone of its times."""
    try:
        return ZoneInfo(name)
    except (ValueError, LookupError, OSError):
        return ZoneInfo("UTC")
