"""The page's languages: which language a reader gets, its texts, and its dates.

Dates are written by the files in ``languages``: a page that is opened seldom would spend most of
its time on importing a library of all languages.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from milepost.common.accept_language import preferred_language
from milepost.common.timestamps import in_zone, stored_day, stored_moment

LANGUAGES: Final = ("en", "de", "da")
_FILES: Final = Path(__file__).parent / "languages"


@cache
def texts_of(language: str) -> Mapping[str, Any]:
    """The texts of one of ``LANGUAGES``."""
    return tomllib.loads((_FILES / f"{language}.toml").read_text(encoding="utf-8"))


def choose_language(*, chosen: str | None, accept_language: str) -> str:
    """The language that the reader chose on the page; otherwise the best one for their browser."""
    if chosen in LANGUAGES:
        return chosen
    return preferred_language(accept_language, among=LANGUAGES) or LANGUAGES[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """Formats days and instants in one language and time zone (IANA name)."""

    language: str
    time_zone: str

    def day(self, said: datetime | date | str | None) -> str | None:
        """The day; for an instant, the day on which it falls in the time zone. None if the text
        isn't a date.
        """
        day = self.date_of(said)
        if day is None:
            return None
        texts = texts_of(self.language)
        return str(
            texts["day"].format(
                weekday=texts["weekdays"][day.weekday()],
                day=day.day,
                month=texts["months"][day.month - 1],
                year=day.year,
            )
        )

    def full(self, said: datetime | str | None) -> str | None:
        """The day as it is; an instant with its time and the offset of the time zone from UTC."""
        if isinstance(said, str) and stored_day(said):
            return self.day(said)
        moment = said if isinstance(said, datetime) else stored_moment(said)
        if moment is None:
            return None
        local, texts = in_zone(moment, ZoneInfo(self.time_zone)), texts_of(self.language)
        return str(
            texts["moment"].format(
                day=self.day(moment), time=local.strftime(texts["time"]), zone=_offset(local)
            )
        )

    def date_of(self, said: datetime | date | str | None) -> date | None:
        """The calendar day in the time zone; None if the text isn't a date."""
        if isinstance(said, str):
            said = stored_day(said) or stored_moment(said)
        if isinstance(said, datetime):
            return in_zone(said, ZoneInfo(self.time_zone)).date()
        return said


def _offset(local: datetime) -> str:
    seconds = int((local.utcoffset() or local - local).total_seconds())
    sign = "\N{MINUS SIGN}" if seconds < 0 else "+"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"UTC{sign}{hours}" + (f":{minutes:02}" if minutes else "")
