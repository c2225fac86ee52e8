"""The calendar file: as RFC 5545 has it, whatever the texts are."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.tracking_page.calendar_file import CalendarEvent, calendar_file, fold
from tests.builders import KEY, NOON

EVENT = CalendarEvent(
    key=KEY,
    at="2026-03-09T09:30:00+01:00",
    sequence=7,
    summary="Nord: internet connection",
    location="Aarhus C",
    description="We are happy to help: 0800 1, weekdays; 9-17",
)


def lines_of(event: CalendarEvent) -> list[str]:
    """The file's lines, unfolded."""
    text = calendar_file(event, now=NOON)
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    return text.replace("\r\n ", "").split("\r\n")[:-1]


def test_an_instant_is_written_in_utc() -> None:
    lines = lines_of(EVENT)
    assert lines[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert lines[-2:] == ["END:VEVENT", "END:VCALENDAR"]
    assert "DTSTART:20260309T083000Z" in lines
    assert "DTSTAMP:20260302T120000Z" in lines
    assert "SEQUENCE:7" in lines
    assert not any(line.startswith("DTEND") for line in lines)


def test_a_day_is_a_whole_day() -> None:
    lines = lines_of(replace(EVENT, at="2026-12-31"))
    assert "DTSTART;VALUE=DATE:20261231" in lines
    assert "DTEND;VALUE=DATE:20270101" in lines


def test_an_event_keeps_its_id_when_it_moves_and_the_id_names_no_order() -> None:
    before, after = lines_of(EVENT), lines_of(replace(EVENT, at="2026-04-01", sequence=8))
    uids = {line for line in (*before, *after) if line.startswith("UID:")}
    assert len(uids) == 1
    assert KEY.order_id not in uids.pop()


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a, b; c\\d", "a\\, b\\; c\\\\d"),
        ("one\r\ntwo\nthree", "one\\ntwo\\nthree"),
        ("x\rEND:VCALENDAR", "x\\nEND:VCALENDAR"),
    ],
)
def test_texts_are_escaped_and_start_no_line_of_their_own(text: str, escaped: str) -> None:
    assert f"SUMMARY:{escaped}" in lines_of(replace(EVENT, summary=text))


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n")))
def test_lines_are_folded_within_75_octets_and_unfold_to_the_same(text: str) -> None:
    folded = fold(text)
    assert all(len(piece.encode()) <= 75 for piece in folded.split("\r\n"))
    assert folded.replace("\r\n ", "") == text
