"""Answers to tracking links: who holds a link is told what is wrong, who guesses is not."""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.connections.connection import Connection, SenderIdentity, TrackingPage
from milepost.notifications.mail.unsubscribe import NoLinkKey
from milepost.orders.order import TrackedOrder
from milepost.tracking_page.answer import Answered, Outcome, Request, TrackingAnswers
from milepost.tracking_page.guesses import MOST_GUESSES, Guesses
from milepost.tracking_page.link import TrackingLink, token_of
from milepost.tracking_page.style import luminance, text_colour_on
from tests.builders import KEY, NOON, OFFERGRID, report, tracked
from tests.unit.tracking_page.fake_tracking import (
    Applied,
    FixedKeys,
    StoredOrders,
    Versions,
    with_tracking,
)

SIGNING = b"k" * 32
PERSONAL = {
    "reference": "REF-778812",
    "customer": {"name": "Jens Møller", "email": "jens@mail.example", "phone": "+4520304050"},
    "address": {"street": "Østergade 12", "postcode": "8000", "city": "Aarhus C"},
    "notes": [{"kind": "other", "text": "the neighbour Hanne has the key"}],
    "reason": "Jens owes 300",
    "account_number": "ACC-55119",
    "meter_number": "MTR-90210",
    "invoices": [{"kind": "fee", "amount": 731, "currency": "EUR", "number": "INV-3141"}],
    "offer": {"name": "Fibre 1000 for 731", "supplier": "Nordnet"},
}
NORD = replace(
    with_tracking(OFFERGRID, TrackingPage(colour="#ffcf33")),
    sender=SenderIdentity(company="Nord & <Co>", contact="0800 123", legal="HRB 1\nBerlin"),
)


class NoKeys:
    """The secret can't be read."""

    def keys(self) -> Sequence[bytes]:
        raise NoLinkKey


@dataclass
class World:
    """What a request meets; each test changes what it is about."""

    order: TrackedOrder | None
    connection: Connection = NORD
    keys: Any = field(default_factory=lambda: FixedKeys([SIGNING]))
    versions: Versions = field(default_factory=Versions)
    guesses: Guesses = field(default_factory=lambda: Guesses(clock=lambda: 0.0))

    def ask(self, token: str | None = None, **values: Any) -> Answered:
        orders = StoredOrders({KEY: self.order} if self.order else {})
        answers = TrackingAnswers(
            keys=self.keys,
            versions=self.versions,
            orders=orders,
            connections=Applied({self.connection.id: self.connection}),
            guesses=self.guesses,
        )
        request = Request(token=a_token() if token is None else token, address="::1", **values)
        return answers.answer(request, now=NOON)


def a_token(*, version: int = 0, expires: datetime = NOON + timedelta(days=1)) -> str:
    return token_of(TrackingLink(key=KEY, version=version, expires=expires), SIGNING)


def an_order(status: Status = Status.SCHEDULED, **details: Any) -> TrackedOrder:
    return tracked(
        report(status, appointment="2026-03-09T09:00:00Z", service_type="internet", **details)
    )


def test_the_page_shows_first_name_service_and_place_and_nothing_else_of_the_order() -> None:
    page = World(an_order(**PERSONAL)).ask().page
    assert page.status == 200
    for shown in ("Hello Jens,", "internet connection", "in Aarhus C", "Nord &amp; &lt;Co&gt;"):
        assert shown in page.body
    hidden = "Møller mail.example 2030 Østergade 8000 Hanne owes 731 INV ACC-5 MTR- REF- Nordnet"
    for word in (*hidden.split(), KEY.order_id, KEY.item_id, KEY.connection):
        assert word not in page.body


@pytest.mark.parametrize("colour", ["#000000", "#ffffff", "#ffcf33", "#777777", "#1f5a99"])
def test_the_companys_name_can_be_read_on_any_colour(colour: str) -> None:
    lights = sorted([luminance(colour), luminance(text_colour_on(colour))])
    assert (lights[1] + 0.05) / (lights[0] + 0.05) >= 4.5


def test_the_page_loads_nothing_runs_nothing_and_is_kept_nowhere() -> None:
    page = World(an_order()).ask().page
    style = re.search(r"<style>(.*?)</style>", page.body, re.DOTALL)
    assert style is not None
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert policy.endswith(f"style-src 'sha256-{digest}'")
    assert page.headers["cache-control"] == "no-store"
    assert "noindex" in page.headers["x-robots-tag"]
    assert page.headers["referrer-policy"] == "no-referrer"
    assert not re.search(r"<script|<img|<link|\son\w+=|\ssrc=|https?://", page.body)


@pytest.mark.parametrize(
    ("values", "language"),
    [
        ({"accept_language": "da-DK,en;q=0.5"}, "da"),
        ({"accept_language": "da", "chosen_language": "de"}, "de"),
        ({"accept_language": "da", "chosen_language": "xx"}, "da"),
        ({"accept_language": "fr"}, "en"),
    ],
)
def test_the_language_is_the_browsers_until_the_reader_chooses(
    values: dict[str, str], language: str
) -> None:
    page = World(an_order()).ask(**values).page
    assert f'<html lang="{language}">' in page.body
    assert page.headers["content-language"] == language
    others = {"en", "de", "da"} - {language}
    assert set(re.findall(r'href="\?lang=(\w\w)"', page.body)) == others


@pytest.mark.parametrize(
    ("token", "changes", "outcome", "status"),
    [
        (a_token(expires=NOON), {}, Outcome.EXPIRED, 410),
        (a_token(), {"versions": Versions({KEY: 2})}, Outcome.REVOKED, 410),
        (a_token(), {"connection": OFFERGRID}, Outcome.REVOKED, 410),
        (a_token(), {"connection": replace(NORD, id="another")}, Outcome.REVOKED, 410),
        (a_token(), {"order": None}, Outcome.GONE, 410),
        (a_token(), {"order": replace(an_order(), erased_at=NOON)}, Outcome.GONE, 410),
        (a_token(), {"keys": NoKeys()}, Outcome.UNAVAILABLE, 503),
    ],
)
def test_the_holder_of_a_link_is_told_why_it_shows_no_order(
    token: str, changes: dict[str, Any], outcome: Outcome, status: int
) -> None:
    world = World(an_order(**PERSONAL))
    for name, value in changes.items():
        setattr(world, name, value)
    answered = world.ask(token)
    assert (answered.outcome, answered.page.status) == (outcome, status)
    assert "Jens" not in answered.page.body
    assert answered.page.headers["cache-control"] == "no-store"


def test_a_guesser_gets_the_same_answer_whether_there_is_such_an_order_or_not() -> None:
    forged = a_token()[:-4] + "AAAA"
    pages = [
        world.ask(token).page
        for token in (forged, "x", "1.e30.e30")
        for world in (
            World(an_order()),
            World(None),
            World(an_order(), versions=Versions({KEY: 2})),
            World(an_order(), connection=OFFERGRID),
        )
    ]
    assert {(page.status, page.body, str(page.headers)) for page in pages} == {
        (404, pages[0].body, str(pages[0].headers))
    }


def test_an_address_that_guesses_on_is_refused_before_anything_is_checked() -> None:
    world = World(an_order())
    for _ in range(MOST_GUESSES):
        assert world.ask("guess").outcome is Outcome.BAD_LINK
    refused = world.ask()
    assert (refused.outcome, refused.page.status) == (Outcome.TOO_MANY, 429)
    assert refused.page.headers["retry-after"] == "600"


def test_the_calendar_file_has_the_appointment_and_no_more_than_the_page() -> None:
    answered = World(an_order(**PERSONAL)).ask(wants_calendar=True)
    body, headers = answered.page.body, answered.page.headers
    assert answered.outcome is Outcome.CALENDAR
    assert headers["content-type"].startswith("text/calendar; charset=utf-8")
    assert headers["content-disposition"] == 'attachment; filename="appointment.ics"'
    assert "DTSTART:20260309T090000Z\r\n" in body
    assert "SUMMARY:Nord & <Co>: internet connection\r\n" in body
    assert "LOCATION:Aarhus C\r\n" in body
    assert not re.search("Møller|Østergade|REF-", body)


def test_there_is_no_calendar_file_without_an_appointment_ahead() -> None:
    answered = World(an_order(Status.COMPLETED)).ask(wants_calendar=True)
    assert (answered.outcome, answered.page.status) == (Outcome.NO_APPOINTMENT, 404)


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x>', "{0}$title"])
def test_hostile_texts_are_text_wherever_they_stand(hostile: str) -> None:
    sender = SenderIdentity(company=hostile, contact=hostile, legal=hostile)
    order = an_order(customer={"name": f"{hostile} X"}, address={"city": hostile})
    body = World(order, connection=replace(NORD, sender=sender)).ask().page.body
    assert "<script" not in body
    assert "<img" not in body
    assert body.count("<h1>") == 1
