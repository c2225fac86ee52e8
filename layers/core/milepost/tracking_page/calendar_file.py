"""The appointment as a calendar file (RFC 5545)."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Final

from milepost.common.timestamps import stored_day, stored_moment
from milepost.orders.order import OrderKey

_LONGEST_LINE: Final = 75
"""Octets of a line, without its line break. Source: RFC 5545, section 3.1."""
_TO_ESCAPE: Final = re.compile(r"[\\;,]")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEvent:
    """One appointment.

    ``at`` is a stored instant or day. ``sequence`` grows with each change of the order, so that a
    calendar replaces the event that it has.
    """

    key: OrderKey
    at: str
    sequence: int
    summary: str
    location: str | None
    description: str | None


def calendar_file(event: CalendarEvent, *, now: datetime) -> str:
    """The file's text; its lines end with CR LF.

    An instant has no end: nobody knows how long a visit takes, and an event without an end says so.

    :raises ValueError: when ``at`` is no date
    """
    # A digest, since calendars show and share the ids of their events.
    uid = sha256(f"milepost appointment {event.key}".encode()).hexdigest()[:32]
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Milepost//Tracking page//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{uid}@milepost",
        f"DTSTAMP:{_instant(now)}",
        f"SEQUENCE:{event.sequence}",
        *_when(event.at),
        f"SUMMARY:{escape_text(event.summary)}",
        *([f"LOCATION:{escape_text(event.location)}"] if event.location else []),
        *([f"DESCRIPTION:{escape_text(event.description)}"] if event.description else []),
        "STATUS:CONFIRMED",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{fold(line)}\r\n" for line in lines)


def escape_text(text: str) -> str:
    """A text as a property value. Source: RFC 5545, section 3.3.11."""
    escaped = _TO_ESCAPE.sub(lambda found: "\\" + found[0], text)
    return escaped.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")


def fold(line: str) -> str:
    """The line, folded into lines of at most 75 octets; each continuation line begins with a space.

    No piece ends within a character. Source: RFC 5545, section 3.1.
    """
    pieces, piece, room = [], "", _LONGEST_LINE
    for character in line:
        size = len(character.encode())
        if size > room:
            pieces.append(piece)
            # The space at the beginning of the next piece counts.
            piece, room = "", _LONGEST_LINE - 1
        piece += character
        room -= size
    return "\r\n ".join([*pieces, piece])


def _when(at: str) -> list[str]:
    day = stored_day(at)
    if day is not None:
        end = day + timedelta(days=1)
        return [f"DTSTART;VALUE=DATE:{_day(day)}", f"DTEND;VALUE=DATE:{_day(end)}"]
    moment = stored_moment(at)
    if moment is None:
        raise ValueError("the appointment is no date")
    return [f"DTSTART:{_instant(moment)}"]


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
