"""Short dates in lists and subjects: their hour, their year, and the time zone of a whole list."""

from datetime import UTC, datetime

import pytest

from milepost.common.status import Status
from milepost.notifications.mail.message import Mail
from milepost.notifications.mail.rendering.digest_lines import Digest, DigestLine
from milepost.notifications.mail.rendering.formatting import Moments
from milepost.notifications.mail.rendering.languages import words_of
from milepost.notifications.mail.rendering.renderer import MailRenderer
from milepost.notifications.subscription import DigestReason
from milepost.orders.order import Kind
from milepost.orders.overdue_list import OverdueNow, OverdueOrder
from tests.unit.notifications.mail.rendering.mail_builders import KNOWN, InMemory, key_of, told

SUMMER = datetime(2026, 3, 29, 6, 0, tzinfo=UTC)
NEW_YEAR = datetime(2026, 12, 31, 7, 0, tzinfo=UTC)


def moments(language: str, zone: str, now: datetime) -> Moments:
    words = words_of(language)
    return Moments(language=language, asked=language, time_zone=zone, words=words, now=now)


def listed(
    *appointments: str, language: str, zone: str, now: datetime, overdue: datetime | None = None
) -> Mail:
    lines = []
    for one in appointments:
        facts = {**KNOWN, "appointment": one}
        notice, tracked = told(Kind.SCHEDULED, Status.SCHEDULED, language=language, details=facts)
        lines.append(DigestLine(notice=notice, tracked=tracked))
    late = [
        OverdueOrder(key=key_of(), reference="PP-7", status=Status.ACCEPTED, since=one)
        for one in [overdue]
        if one is not None
    ]
    whole = Digest(
        recipient="sales@example.org",
        language=language,
        time_zone=zone,
        reason=DigestReason.DAILY,
        lines=tuple(lines),
        overdue=OverdueNow(orders=tuple(late), more=False),
    )
    return MailRenderer(InMemory(), clock=lambda: now).render_digest(whole)


@pytest.mark.parametrize(
    ("language", "day", "hour"),
    [
        ("en", "Thu 12 Mar", "Thu 12 Mar, 13:00"),
        ("de", "Do., 12. März", "Do., 12. März, 13:00 Uhr"),
        ("da", "tors. 12. mar.", "tors. 12. mar. kl. 13.00"),
    ],
)
def test_an_hour_is_written_as_people_write_it(language: str, day: str, hour: str) -> None:
    here = moments(language, "Europe/Berlin", SUMMER)
    assert (here.short("2026-03-12"), here.short("2026-03-12T12:00:00Z")) == (day, hour)


@pytest.mark.parametrize(
    ("language", "this_year", "next_year"),
    [
        ("en", "Thu 31 Dec, 09:00", "Fri, 1 Jan 2027, 09:00"),
        ("de", "Do., 31. Dez., 09:00 Uhr", "Fr., 1. Jan. 2027, 09:00 Uhr"),
        ("da", "tors. 31. dec. kl. 09.00", "fre. 1. jan. 2027 kl. 09.00"),
    ],
)
def test_a_year_is_named_when_it_is_not_the_present_one(
    language: str, this_year: str, next_year: str
) -> None:
    here = moments(language, "Europe/Berlin", NEW_YEAR)
    assert here.short("2026-12-31T08:00:00Z") == this_year
    assert here.short("2027-01-01T08:00:00Z") == next_year


def test_the_year_is_that_of_the_recipient() -> None:
    late = datetime(2026, 12, 31, 12, 0, tzinfo=UTC)
    assert moments("en", "Pacific/Auckland", late).short("2027-01-01") == "Fri 1 Jan"
    assert moments("en", "Europe/Berlin", late).short("2027-01-01") == "Fri, 1 Jan 2027"
    assert moments("en", "Pacific/Auckland", late).short("2026-12-31") == "Thu, 31 Dec 2026"


@pytest.mark.parametrize(
    ("language", "zone", "before", "after", "across"),
    [
        ("en", "Europe/Berlin", "CET.", "CEST.", "Berlin time."),
        ("de", "Europe/Berlin", "MEZ.", "MESZ.", "Ortszeit Berlin."),
        ("da", "Europe/Copenhagen", "CET.", "CEST.", "lokal tid i København."),
    ],
)
def test_a_list_across_a_clock_change_names_no_abbreviation_that_is_wrong_for_half_of_it(
    language: str, zone: str, before: str, after: str, across: str
) -> None:
    winter, summer = "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"
    for dates, said in (((winter,), before), ((summer,), after), ((winter, summer), across)):
        text = listed(*dates, language=language, zone=zone, now=SUMMER).text
        assert said in text.partition("(")[0]


def test_what_is_overdue_since_before_the_clock_change_counts_too() -> None:
    since = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    one = listed(
        "2026-03-30T12:00:00Z", language="en", zone="Europe/Berlin", now=SUMMER, overdue=since
    )
    assert "Times are in Berlin time." in one.text
    assert "overdue since Sat 28 Mar, 13:00" in " ".join(one.text.split())


def test_a_day_without_an_hour_has_no_time_zone() -> None:
    one = listed(
        "2026-01-05", "2026-07-01T12:00:00Z", language="en", zone="Europe/Berlin", now=SUMMER
    )
    assert "Times are in CEST." in one.text


def test_where_clocks_never_change_the_abbreviation_stays() -> None:
    dates = ("2026-03-28T12:00:00Z", "2026-07-01T12:00:00Z")
    one = listed(*dates, language="en", zone="Atlantic/Reykjavik", now=SUMMER)
    assert "Times are in GMT." in one.text


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "no date yet"), ("de", "noch ohne Termin"), ("da", "endnu ingen dato")],
)
def test_when_something_was_reported_is_not_shown_where_an_appointment_would_stand(
    language: str, said: str
) -> None:
    text = " ".join(listed("", language=language, zone="Europe/Berlin", now=SUMMER).text.split())
    assert f"PP-20417: Fibre 1000 · {said} · offergrid-home" in text
