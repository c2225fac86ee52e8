"""Sentences about dates and statuses that are past, or come later than the mail before."""

from dataclasses import replace
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.notifications.mail.message import Mail
from milepost.notifications.notice import Audience
from milepost.orders.order import Kind
from tests.builders import OFFERGRID, RABOT
from tests.unit.notifications.mail.rendering.mail_builders import (
    KNOWN,
    SPIRII,
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
        mail = written_after(days).render(*one)
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
