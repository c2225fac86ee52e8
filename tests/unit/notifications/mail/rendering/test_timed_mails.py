"""Mails that time brings: reminders, delays, follow-ups, and waits for the customer."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.connections.connection import Connection, FollowUp
from milepost.notifications.mail.message import Mail
from milepost.notifications.mail.rendering.renderer import MailRenderer
from milepost.notifications.notice import Audience, Notice
from milepost.notifications.subscription import DigestReason
from milepost.orders.order import Kind, TrackedOrder
from milepost.orders.report import Report
from milepost.orders.summary import Wait
from tests.builders import NOON, OFFERGRID, report, tracked
from tests.unit.notifications.mail.rendering.mail_builders import (
    KNOWN,
    LANGUAGES,
    NOW,
    SPIRII,
    UNPAID,
    renderer,
    told,
)

PAST, AHEAD = "2026-03-02T11:00:00Z", "2026-03-12T02:00:00Z"
LINK = "https://survey.example.com/q?order=1&lang=de"


class Following:
    """Implements ``Connections``: one whose customers are followed up."""

    def get(self, connection_id: str) -> Connection:
        return replace(OFFERGRID, follow_up=FollowUp(link=LINK))


def mail(kind: Kind, language: str, audience: Audience = Audience.TEAM, **details: Any) -> Mail:
    connection = SPIRII if "completed_by" in details else OFFERGRID
    made = told(
        kind,
        Status.SCHEDULED,
        connection=connection,
        language=language,
        audience=audience,
        details={**KNOWN, **details},
    )
    return renderer().render(*made)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "A reminder: your appointment for Fibre 1000 is on Thursday, 12 March 2026"),
        ("de", "Zur Erinnerung: Ihr Termin für Fibre 1000 ist am Donnerstag, 12. März 2026"),
        ("da", "En påmindelse: Den aftalte tid for din ordre på Fibre 1000 er torsdag den 12."),
    ],
)
def test_a_reminder_names_the_appointment(language: str, said: str) -> None:
    made = mail(Kind.REMINDER, language, Audience.CUSTOMER, appointment=AHEAD)
    assert said in " ".join(made.text.split())


@pytest.mark.parametrize("kind", [Kind.REMINDER, Kind.OVERDUE, Kind.ESCALATED])
@pytest.mark.parametrize("language", LANGUAGES)
def test_after_its_appointment_the_team_reads_by_which_action_it_completes_an_order(
    language: str, kind: Kind
) -> None:
    by_card = {"kind": "credit_card"}
    facts: dict[str, Any] = {"appointment": PAST, "completed_by": "fulfill", "payment": by_card}
    made = mail(kind, language, **facts)
    command = "\n\nmilepost actions do spirii-dk:ord-1:item-1 fulfill\n\n"
    assert command in made.text
    planned = mail(kind, language, **facts, fulfilment_at=AHEAD)
    assert "milepost actions do" not in planned.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_delay_names_no_new_date(language: str) -> None:
    made = told(
        Kind.DELAYED,
        Status.ACCEPTED,
        language=language,
        audience=Audience.CUSTOMER,
        details=KNOWN,
    )
    assert "2026" not in renderer().render(*made).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_follow_up_has_the_connections_link_in_both_parts(language: str) -> None:
    made = told(
        Kind.FOLLOW_UP,
        Status.COMPLETED,
        language=language,
        audience=Audience.CUSTOMER,
        details=KNOWN,
    )
    sent = MailRenderer(Following(), clock=lambda: NOW).render(*made)
    assert f"\n{LINK}\n" in sent.text
    assert f'<a href="{LINK.replace("&", "&amp;")}" style="color:' in sent.html


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_digest_asks_and_has_the_link_where_a_follow_up_is_answered(language: str) -> None:
    made = told(
        Kind.FOLLOW_UP,
        Status.COMPLETED,
        language=language,
        audience=Audience.CUSTOMER,
        details=KNOWN,
    )
    writes = MailRenderer(Following(), clock=lambda: NOW)
    sent = writes.render_batch([made], time_zone="Europe/Berlin", reason=DigestReason.MANY)
    asked = {
        "en": "Fibre 1000 – How satisfied are you?",
        "de": "Fibre 1000 – Wie zufrieden sind Sie?",
        "da": "Fibre 1000 – Hvor tilfreds er du?",
    }
    assert asked[language] in sent.text
    assert LINK in sent.text
    assert f'<a href="{LINK.replace("&", "&amp;")}"' in sent.html


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "nothing you need to do"), ("de", "brauchen nichts"), ("da", "behøver ikke")],
)
def test_a_delay_says_that_there_is_nothing_to_do_only_if_nothing_is_open(
    language: str, said: str
) -> None:
    made = mail(Kind.DELAYED, language, Audience.CUSTOMER)
    assert said in " ".join(made.text.split())
    unpaid = mail(Kind.DELAYED, language, Audience.CUSTOMER, invoices=[UNPAID])
    assert said not in " ".join(unpaid.text.split())


def waiting(what: str, language: str) -> tuple[Notice, TrackedOrder]:
    notice, tracked = told(Kind.OVERDUE, Status.ACCEPTED, language=language, details=KNOWN)
    order = replace(tracked.order, waiting=Wait(what, NOON))
    return notice, replace(tracked, order=order)


@pytest.mark.parametrize(
    ("language", "what", "said"),
    [
        ("en", "contact", "the customer could not be reached. Check the contact data, try another"),
        (
            "de",
            "payment",
            "Die Zahlung ist noch nicht eingegangen. Erinnern Sie den Kunden an",
        ),
        ("da", "signature", "Kontrakten er ikke underskrevet. Mind kunden om underskriften"),
        ("en", "another word", "the customer has something to do first. Ask the provider what the"),
    ],
)
def test_an_order_that_waits_too_long_says_for_what_and_what_helps(
    language: str, what: str, said: str
) -> None:
    assert said in " ".join(renderer().render(*waiting(what, language)).text.split())


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Check the contact data, try another way to reach the customer"),
        ("de", "Prüfen Sie die Kontaktdaten"),
        ("da", "Tjek kontaktoplysningerne"),
    ],
)
def test_the_team_reads_with_the_acceptance_that_the_customer_has_to_be_reached(
    language: str, said: str
) -> None:
    notice, order = told(Kind.ACCEPTED, Status.ACCEPTED, language=language)
    waits = replace(order, order=replace(order.order, waiting=Wait("contact", NOON)))
    assert said in " ".join(renderer().render(notice, waits).text.split())
    assert said not in " ".join(renderer().render(notice, order).text.split())


EARNED = {"commission": {"amount": Decimal("75.50"), "currency": "EUR"}}


def overdue_commission(language: str, *more: Report) -> tuple[Notice, TrackedOrder]:
    """Of an order that was completed in January, when no terms are set: due on 1 February."""
    notice, _ = told(Kind.COMMISSION_OVERDUE, Status.COMPLETED, language=language)
    january = -60 * 24 * 50
    completed = report(Status.COMPLETED, january, key=notice.key, **{**KNOWN, **EARNED})
    return notice, tracked(completed, *more)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "no payment has been recorded: €75.50, expected by Sunday, 1 February 2026"),
        ("de", "nicht festgestellt: 75,50 €, erwartet bis Sonntag, 1. Februar 2026"),
        (
            "da",
            "ikke registreret nogen betaling: 75,50 €, forventet senest søndag den 1. februar 2026",
        ),
    ],
)
def test_an_overdue_commission_says_how_much_was_expected_by_when_and_how_it_is_marked(
    language: str, said: str
) -> None:
    text = renderer().render(*overdue_commission(language)).text
    assert said in " ".join(text.split())
    marks = "milepost actions do offergrid-home:ord-1:item-1 commission_paid --note 2026-01"
    assert f"\n\n{marks}\n\n" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_commission_that_was_paid_meanwhile_is_asked_for_by_nobody(language: str) -> None:
    notice, _ = overdue_commission(language)
    payment = report(None, 0, key=notice.key, commission={**EARNED["commission"], "status": "paid"})
    text = renderer().render(*overdue_commission(language, payment)).text
    assert "75" not in text
    assert "commission_paid" not in text
