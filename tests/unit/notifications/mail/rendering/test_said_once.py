"""A mail says a thing once, counts it rightly, and has no identifiers where words belong."""

from dataclasses import replace
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.notifications.mail.rendering.context import make_context
from milepost.notifications.mail.rendering.facts import mail_values
from milepost.notifications.mail.rendering.samples import WRITTEN_AT
from milepost.notifications.notice import Notice
from milepost.orders.lifecycle import fold
from milepost.orders.order import Kind, TrackedOrder
from milepost.orders.summary import Wait
from milepost.providers.spirii import Spirii
from milepost.providers.subs import Subs
from tests.builders import report
from tests.unit.notifications.mail.rendering.mail_builders import (
    SPIRII,
    SUBS,
    UNPAID,
    key_of,
    renderer,
    told,
)
from tests.unit.notifications.mail.rendering.sentence_builders import CUSTOMER

LANGUAGES = ("en", "de", "da")
REMIND = {"en": "Remind the customer", "de": "Erinnern Sie", "da": "Mind kunden om"}
NEW_LINE: dict[str, Any] = {"service_type": "new_connection", "customer": {"email": "a@b.example"}}


def text_of(notice: Notice, tracked: TrackedOrder) -> str:
    return " ".join(renderer().render(notice, tracked).text.split())


def unpaid(kind: Kind, language: str) -> tuple[Notice, TrackedOrder]:
    status, facts = Status.ACCEPTED, {**NEW_LINE, "invoices": [UNPAID]}
    notice, tracked = told(kind, status, connection=SUBS, language=language, details=facts)
    one = report(status, raw="Connection Fee Generated", key=key_of(SUBS), **facts)
    order = fold((one,), Subs().rules)
    return notice, replace(tracked, order=order)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [Kind.ATTENTION, Kind.OVERDUE, Kind.ESCALATED])
def test_an_unpaid_fee_is_stated_once_with_what_to_do(kind: Kind, language: str) -> None:
    notice, tracked = unpaid(kind, language)
    assert tracked.order.attention
    assert tracked.order.waiting
    text = text_of(notice, tracked)
    assert text.count(REMIND[language]) == 1
    assert "NE-881377" in text
    assert "None" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_wait_for_a_signature_still_says_what_to_do(language: str) -> None:
    notice, tracked = unpaid(Kind.OVERDUE, language)
    waiting = replace(tracked.order, waiting=Wait("signature", tracked.order.since))
    assert text_of(notice, replace(tracked, order=waiting)).count(REMIND[language]) == 2


@pytest.mark.parametrize(
    ("language", "one", "two"),
    [
        ("en", "as soon as the point below is settled", "as soon as the points below are settled"),
        ("de", "Sobald der Punkt unten erledigt ist", "Sobald die Punkte unten erledigt sind"),
        ("da", "Så snart punktet nedenfor er på plads", "Så snart punkterne nedenfor er på plads"),
    ],
)
def test_one_open_point_is_one_point(language: str, one: str, two: str) -> None:
    for fees, said in (([UNPAID], one), ([UNPAID, UNPAID], two)):
        facts = {**NEW_LINE, "invoices": fees}
        mail = told(
            Kind.ACCEPTED,
            Status.ACCEPTED,
            connection=SUBS,
            language=language,
            audience=CUSTOMER,
            details=facts,
        )
        assert said in text_of(*mail)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "The status of the order for an EV charge box is not known. Please look at it:"),
        (
            "de",
            "Der Status des Auftrags für eine Wallbox ist nicht bekannt. Bitte sehen Sie ihn sich "
            "an:",
        ),
        ("da", "Status for ordren på en ladeboks kendes ikke. Se venligst på den:"),
    ],
)
def test_an_order_is_not_called_unknown_when_its_status_is(language: str, said: str) -> None:
    notice, _ = told(Kind.ATTENTION, Status.UNKNOWN, connection=SPIRII, language=language)
    one = report(None, raw="Paused", key=notice.key, service_type="ev_charging")
    order = fold((one,), Spirii().rules)
    assert said in text_of(notice, TrackedOrder(order=order, version=1))


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de", "nicht gesendet: Auftragsbestätigung: „Email type is not active“"),
        ("da", "ikke sendt: ordrebekræftelse: »Email type is not active«"),
    ],
)
def test_a_mail_that_was_not_sent_is_named_in_words_and_why_is_quoted(
    language: str, said: str
) -> None:
    unsent = {
        "type": "order_confirmation",
        "sent": False,
        "not_sent_reason": "Email type is not active",
    }
    facts = {"emails": [unsent], "customer": {"email": "a@b.example"}}
    notice, tracked = told(Kind.ATTENTION, Status.PENDING, connection=SPIRII, language=language)
    order = fold((report(Status.PENDING, raw="Pending", key=notice.key, **facts),), Spirii().rules)
    text = text_of(notice, replace(tracked, order=order))
    assert said in text
    assert "order_confirmation" not in text


def test_templates_of_a_connection_still_get_all_reasons() -> None:
    notice, tracked = unpaid(Kind.ATTENTION, "en")
    values = mail_values(make_context(notice, tracked.order, SUBS, now=WRITTEN_AT))
    assert (len(values["attention"]), values["attention_said"]) == (1, [])
