"""The sentences of mails, word for word, as people write them in each language."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.notifications.mail.message import Mail
from milepost.notifications.mail.rendering.renderer import MailRenderer
from milepost.notifications.notice import Audience
from milepost.orders.order import Kind
from tests.builders import OFFERGRID, RABOT
from tests.unit.notifications.mail.rendering.mail_builders import (
    KNOWN,
    NOW,
    SPIRII,
    SUBS,
    UNPAID,
    InMemory,
    renderer,
    told,
)

CUSTOMER, TEAM = Audience.CUSTOMER, Audience.TEAM
FIBRE: dict[str, Any] = {"offer": {"name": "Fibre 1000"}, "reference": "R-1"}
ENERGY: dict[str, Any] = {"service_type": "energy", "offer": {"name": "Smart Energy 24"}}
AT = {"appointment": "2026-03-14T02:00:00Z"}
PAST = {"appointment": "2026-02-14T02:00:00Z"}


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


@pytest.mark.parametrize("audience", list(Audience))
@pytest.mark.parametrize(
    ("language", "ahead", "past", "in_time"),
    [
        ("en", "ends on Tuesday, 30 June 2026", "ended on Tuesday, 30 June 2026", "in time"),
        (
            "de",
            "endet am Dienstag, 30. Juni 2026",
            "endete am Dienstag, 30. Juni 2026",
            "rechtzeitig",
        ),
        (
            "da",
            "slutter tirsdag den 30. juni 2026",
            "sluttede tirsdag den 30. juni 2026",
            "i god tid",
        ),
    ],
)
def test_a_supply_ends_in_time_only_while_it_is_ahead(
    language: str, ahead: str, past: str, in_time: str, audience: Audience
) -> None:
    details = {**ENERGY, "delivery_end": "2026-06-30"}
    one = told(
        Kind.CANCELLED,
        Status.CANCELLED,
        connection=RABOT,
        language=language,
        audience=audience,
        details=details,
    )
    for days, said, is_ahead in ((0, ahead, True), (119, ahead, True), (121, past, False)):
        mail = _written_after(days).render(*one)
        text = " ".join(mail.text.split())
        assert said in text
        assert said in mail.subject
        assert (in_time in text) is is_ahead


@pytest.mark.parametrize("connection", [OFFERGRID, SPIRII, RABOT], ids=lambda one: one.provider)
@pytest.mark.parametrize("audience", list(Audience))
@pytest.mark.parametrize("kind", [Kind.SCHEDULED, Kind.RESCHEDULED])
def test_nobody_is_asked_to_be_there_when_the_appointment_is_over(
    kind: Kind, audience: Audience, connection: Any
) -> None:
    service = {"rabot": "energy", "spirii": "ev_charging"}.get(connection.provider, "internet")
    for language, present in (
        ("en", (" is on ", " starts on ", "will be", "now be ", "make sure")),
        ("de", (" ist am ", " beginnt ", " wird ", "orgen Sie")),
        ("da", (" er nu ", " begynder ", "boks aktiveres ", "boksen aktiveres", "ørg ")),
    ):
        one = told(
            kind,
            Status.SCHEDULED,
            connection=connection,
            language=language,
            audience=audience,
            details={"service_type": service, **PAST},
        )
        text = " ".join(renderer().render(*one).text.split())
        assert "2026" in text
        assert not [words for words in present if words in text], text


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


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "This has changed since: your order is now cancelled."),
        ("de", "Ihr Auftrag ist inzwischen storniert."),
        ("da", "Din ordre er nu annulleret. Dette blev oplyst tidligere:"),
    ],
)
def test_a_mail_that_is_out_of_date_leads_with_how_things_stand(language: str, said: str) -> None:
    notice, _ = told(Kind.SCHEDULED, Status.SCHEDULED, language=language, audience=CUSTOMER)
    _, now = told(Kind.CANCELLED, Status.CANCELLED, details={**KNOWN, **AT})
    mail = renderer().render(notice, now)
    assert mail.text.splitlines()[2].startswith(said)
    done, active = told(Kind.COMPLETED, Status.COMPLETED), told(Kind.COMPLETED, Status.ACTIVE)
    assert "changed since" not in renderer().render(done[0], active[1]).text


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


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "somebody is there"), ("de", "jemand vor Ort"), ("da", "nogen til stede")],
)
def test_nobody_is_told_to_be_at_home_for_an_order_that_was_cancelled_since(
    language: str, said: str
) -> None:
    notice, then = told(
        Kind.SCHEDULED, Status.SCHEDULED, language=language, audience=CUSTOMER, details=AT
    )
    notice = replace(notice, forced=True)
    _, now = told(Kind.CANCELLED, Status.CANCELLED, details={**KNOWN, **AT})
    for order, is_said in ((then, True), (now, False)):
        mail = renderer().render(notice, order)
        assert (said in " ".join(mail.text.split())) is is_said
        assert (said in " ".join(mail.html.split())) is is_said


def test_nobody_who_still_has_to_pay_is_told_that_there_is_nothing_to_do() -> None:
    details = {"service_type": "new_connection", "invoices": [UNPAID]}
    for kind in (Kind.SCHEDULED, Kind.RESCHEDULED):
        one = told(kind, Status.SCHEDULED, connection=SUBS, audience=CUSTOMER, details=details)
        text = renderer().render(*one).text
        assert "nothing you need to do" not in text
        assert "Not paid yet" in text
    late = _written_after(30).render(*one)
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


def _written_after(days: int) -> MailRenderer:
    return MailRenderer(InMemory(), clock=lambda: NOW + timedelta(days=days))


@pytest.mark.parametrize(
    ("language", "audience", "sentence"),
    [
        ("en", TEAM, "The appointment for Fibre 1000 is on Saturday, 14 March 2026"),
        ("en", CUSTOMER, "Your appointment for Fibre 1000 is on Saturday, 14 March 2026"),
        ("de", TEAM, "Der Termin für Fibre 1000 ist am Samstag, 14. März 2026"),
        ("de", CUSTOMER, "Ihr Termin für Fibre 1000 ist am Samstag, 14. März 2026"),
        ("da", TEAM, "Den aftalte tid for ordren på Fibre 1000 er lørdag den 14. marts 2026"),
        (
            "da",
            CUSTOMER,
            "Den aftalte tid for din ordre på Fibre 1000 er lørdag den 14. marts 2026",
        ),
    ],
)
def test_a_first_date_that_comes_later_was_not_moved(
    language: str, audience: Audience, sentence: str
) -> None:
    def written(former_date: str | None) -> Mail:
        return renderer().render(
            *told(
                Kind.RESCHEDULED,
                Status.SCHEDULED,
                language=language,
                audience=audience,
                details={**FIBRE, **AT},
                former_date=former_date,
            )
        )

    first, moved = written(None), written("2026-03-01")
    assert sentence in " ".join(first.text.split())
    assert sentence not in " ".join(moved.text.split())
    words = f"{first.subject} {first.text} {first.html}"
    for word in (
        "moved",
        " new ",
        " now ",
        "verschoben",
        "neue",
        "geändert",
        "flyttet",
        " nye",
        "ændret",
    ):
        assert word not in words
    assert first.subject != moved.subject
