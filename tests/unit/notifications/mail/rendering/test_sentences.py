"""The sentences of mails, word for word, as people write them in each language."""

from dataclasses import replace
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.orders.order import Kind
from tests.builders import RABOT
from tests.unit.notifications.mail.rendering.mail_builders import (
    KNOWN,
    SUBS,
    UNPAID,
    renderer,
    told,
)
from tests.unit.notifications.mail.rendering.sentence_builders import (
    AT,
    CUSTOMER,
    ENERGY,
    FIBRE,
    PAST,
    TEAM,
    written_after,
)


@pytest.mark.parametrize(
    "sentence",
    [
        ("de", CUSTOMER, "cancelled", "cancelled", {}, "Ihr Auftrag wurde storniert. Falls"),
        (
            "de",
            CUSTOMER,
            "scheduled",
            "scheduled",
            {**ENERGY, "appointment": "2027-01-01"},
            "Ihre Lieferung (Smart Energy 24) beginnt am Freitag, 1. Januar 2027.",
        ),
        (
            "de",
            CUSTOMER,
            "scheduled",
            "scheduled",
            {"service_type": "energy", "appointment": "2027-01-01"},
            "Ihre Energielieferung beginnt am Freitag, 1. Januar 2027.",
        ),
        ("de", TEAM, "scheduled", "scheduled", AT, "Der Termin ist am Samstag, 14. März 2026,"),
        (
            "de",
            CUSTOMER,
            "rescheduled",
            "scheduled",
            {**FIBRE, **AT},
            "Ihr neuer Termin für Fibre 1000 ist am Samstag, 14. März 2026, 13:00 Uhr",
        ),
        (
            "de",
            TEAM,
            "overdue",
            "scheduled",
            PAST,
            "Der Termin war am Samstag, 14. Februar 2026, 13:00 Uhr (Ortszeit Melbourne); der "
            "Anbieter hat noch kein Ergebnis gemeldet.",
        ),
        (
            "de",
            TEAM,
            "overdue",
            "accepted",
            {},
            "Üblicherweise dauert das höchstens bis Donnerstag, 5. März 2026.",
        ),
        ("de", CUSTOMER, "scheduled", "scheduled", {}, "Ihr Auftrag ist eingeplant."),
        (
            "en",
            CUSTOMER,
            "completed",
            "completed",
            {"meter_number": "P24"},
            "Please keep the number below: you will be asked for it if",
        ),
        (
            "en",
            CUSTOMER,
            "completed",
            "completed",
            {"meter_number": "P24", "spn": "S1"},
            "Please keep the numbers below: you will be asked for them if",
        ),
        (
            "de",
            CUSTOMER,
            "completed",
            "completed",
            {"meter_number": "P24"},
            "Bitte bewahren Sie die Nummer unten auf: Bei Fragen",
        ),
        (
            "de",
            TEAM,
            "completed",
            "completed",
            {"meter_number": "P24", "spn": "S1"},
            "Nehmen Sie die Nummern unten in die Kundenakte auf.",
        ),
        (
            "da",
            CUSTOMER,
            "completed",
            "completed",
            {"meter_number": "P24"},
            "Gem venligst nummeret nedenfor: Du bliver spurgt om det, hvis",
        ),
        (
            "da",
            TEAM,
            "completed",
            "completed",
            {"meter_number": "P24", "spn": "S1"},
            "Gem numrene nedenfor på kundens sag.",
        ),
        (
            "de",
            TEAM,
            "overdue",
            "scheduled",
            {**ENERGY, "appointment": "2026-03-01"},
            "Die Lieferung (Smart Energy 24) sollte am Sonntag, 1. März 2026 beginnen; der "
            "Anbieter hat das noch nicht bestätigt.",
        ),
        (
            "da",
            TEAM,
            "escalated",
            "scheduled",
            {"service_type": "ev_charging", **PAST},
            "Ladeboksen skulle aktiveres lørdag den 14. februar 2026",
        ),
        (
            "en",
            TEAM,
            "correction",
            "scheduled",
            {**ENERGY, "appointment": "2026-04-01"},
            "let them know. The supply (Smart Energy 24) starts on Wednesday, 1 April 2026.",
        ),
        (
            "de",
            CUSTOMER,
            "cancelled",
            "cancelled",
            {**ENERGY, "delivery_end": "2026-06-30", "cause": "customer_revoked"},
            "Ihre Lieferung (Smart Energy 24) endet am Dienstag, 30. Juni 2026. Sie haben den "
            "Vertrag widerrufen.",
        ),
        (
            "en",
            CUSTOMER,
            "reminder",
            "scheduled",
            {**ENERGY, "appointment": "2026-04-01"},
            "A reminder: your supply (Smart Energy 24) starts on Wednesday, 1 April 2026.",
        ),
        (
            "de",
            CUSTOMER,
            "correction",
            "accepted",
            {},
            "Bitte entschuldigen Sie das Missverständnis.",
        ),
        (
            "de",
            CUSTOMER,
            "accepted",
            "accepted",
            {"service_type": "business"},
            "Ihr Auftrag für einen Geschäftskundentarif wurde angenommen.",
        ),
        (
            "de",
            CUSTOMER,
            "accepted",
            "accepted",
            {"service_type": "new_connection"},
            "Ihr Auftrag für einen neuen Stromanschluss wurde angenommen.",
        ),
        (
            "da",
            CUSTOMER,
            "accepted",
            "accepted",
            {"service_type": "internet"},
            "Din ordre på en internetforbindelse er accepteret.",
        ),
        (
            "da",
            TEAM,
            "accepted",
            "accepted",
            {},
            "Næste skridt er at aftale et tidspunkt, som regel senest torsdag den 5. marts 2026.",
        ),
        (
            "da",
            CUSTOMER,
            "scheduled",
            "scheduled",
            {"service_type": "energy", "appointment": "2027-01-01"},
            "Din energilevering begynder fredag den 1. januar 2027.",
        ),
        ("da", TEAM, "correction", "accepted", {}, "hvis vedkommende har fået noget andet at vide"),
        (
            "en",
            CUSTOMER,
            "accepted",
            "accepted",
            {"service_type": "new_connection"},
            "your order for a new electricity connection has been accepted.",
        ),
        ("en", CUSTOMER, "completed", "active", ENERGY, "Your supply (Smart Energy 24) is active."),
        (
            "en",
            CUSTOMER,
            "completed",
            "active",
            {**ENERGY, "delivery_start": "2026-03-01"},
            "Your supply (Smart Energy 24) is active. It started on Sunday, 1 March 2026. Thank",
        ),
        (
            "de",
            CUSTOMER,
            "completed",
            "active",
            {**ENERGY, "delivery_start": "2026-03-02"},
            "Ihre Lieferung (Smart Energy 24) ist aktiv. Sie begann am Montag, 2. März 2026. ",
        ),
        (
            "da",
            TEAM,
            "completed",
            "active",
            {**ENERGY, "delivery_start": "2026-03-03"},
            "Leveringen (Smart Energy 24) begynder tirsdag den 3. marts 2026. ",
        ),
        (
            "en",
            TEAM,
            "failed",
            "failed",
            {"reason": "Customer not home"},
            "Agree on a new date with the customer, and ask the provider to reschedule.",
        ),
        (
            "de",
            TEAM,
            "failed",
            "failed",
            {"reason": "Equipment not available"},
            "Fragen Sie den Anbieter, wann das Gerät eintrifft, und vereinbaren Sie mit dem Kunden "
            "einen neuen Termin.",
        ),
        (
            "da",
            TEAM,
            "failed",
            "failed",
            {},
            "Spørg udbyderen om årsagen. Aftal derefter en ny tid med kunden, og bed udbyderen om "
            "at planlægge den.",
        ),
        (
            "en",
            TEAM,
            "failed",
            "failed",
            {"reason": "Outside the service area"},
            "Offer the customer an alternative that is available at this address.",
        ),
        (
            "en",
            TEAM,
            "attention",
            "accepted",
            {},
            "The order is accepted. It needed attention; that has been settled since.",
        ),
    ],
)
def test_a_sentence_is_as_a_native_writes_it(sentence: tuple[Any, ...]) -> None:
    language, audience, kind, status, details, said = sentence
    notice, order = told(
        Kind(kind), Status(status), language=language, audience=audience, details=details
    )
    assert said in " ".join(renderer().render(notice, order).text.split())


@pytest.mark.parametrize(
    ("language", "kind", "heading"),
    [
        ("da", "failed", "Ordren mislykkedes"),
        ("da", "escalated", "Ordren har længe været forsinket"),
        ("da", "accepted", "Hvad sker der nu?"),
        ("en", "escalated", "Order long overdue"),
        ("de", "escalated", "Auftrag seit Langem überfällig"),
    ],
)
def test_headings(language: str, kind: str, heading: str) -> None:
    html = renderer().render(*told(Kind(kind), Status.ACCEPTED, language=language)).html
    assert f">{heading}<" in html


@pytest.mark.parametrize(
    ("language", "ours", "theirs"),
    [
        ("en", "the customer ended the contract", "You ended the contract."),
        ("de", "Der Kunde hat gekündigt.", "Sie haben gekündigt. In den Worten"),
        ("da", "Kunden har opsagt kontrakten.", "Du har opsagt kontrakten."),
    ],
)
def test_a_contract_is_ended_and_not_cancelled(language: str, ours: str, theirs: str) -> None:
    details = {
        **ENERGY,
        "delivery_end": "2026-06-30",
        "reason": "Cancelled by the customer",
        "cause": "customer_cancelled",
    }
    for audience, said in ((TEAM, ours), (CUSTOMER, theirs)):
        one = told(
            Kind.CANCELLED,
            Status.CANCELLED,
            connection=RABOT,
            language=language,
            audience=audience,
            details=details,
        )
        assert said in " ".join(renderer().render(*one).text.split())


@pytest.mark.parametrize("kind", [Kind.SCHEDULED, Kind.RESCHEDULED, Kind.REMINDER])
@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "appointment for the new electricity connection"),
        ("de", "ermin für den neuen Stromanschluss"),
    ],
)
def test_an_appointment_is_for_the_service_that_was_ordered(
    language: str, said: str, kind: Kind
) -> None:
    details = {"service_type": "new_connection", "appointment": "2026-03-12"}
    for audience in (TEAM, CUSTOMER):
        one = told(
            kind,
            Status.SCHEDULED,
            connection=SUBS,
            language=language,
            audience=audience,
            details=details,
        )
        assert said in " ".join(renderer().render(*one).text.split())


def test_nobody_who_still_has_to_pay_is_told_that_there_is_nothing_to_do() -> None:
    details = {"service_type": "new_connection", "invoices": [UNPAID]}
    for kind in (Kind.SCHEDULED, Kind.RESCHEDULED):
        one = told(kind, Status.SCHEDULED, connection=SUBS, audience=CUSTOMER, details=details)
        text = renderer().render(*one).text
        assert "nothing you need to do" not in text
        assert "Not paid yet" in text
    late = written_after(30).render(*one)
    assert "was due on Friday, 20 March 2026" in " ".join(late.text.split())


def test_a_german_sentence_after_the_greeting_may_begin_with_a_capital() -> None:
    capitals = ("Ihr", "Ihre", "Ihren", "Southern")
    for kind in (
        Kind.ACCEPTED,
        Kind.REJECTED,
        Kind.SCHEDULED,
        Kind.RESCHEDULED,
        Kind.COMPLETED,
        Kind.CANCELLED,
        Kind.CORRECTION,
    ):
        for details in (KNOWN, {}, {**ENERGY, **AT}, {**KNOWN, **PAST}):
            one = told(kind, Status.ACCEPTED, language="de", audience=CUSTOMER, details=details)
            for status in (one[1], replace(one[1])):
                text = renderer().render(one[0], status).text
                assert text.splitlines()[2].split()[0] in capitals
