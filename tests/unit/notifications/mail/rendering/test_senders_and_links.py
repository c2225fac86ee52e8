"""Who signs a mail, where answers go, why it was sent, and where its links lead."""

import html as entities
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.connections.connection import Connection, SenderIdentity
from milepost.notifications.mail.message import Mail
from milepost.notifications.mail.rendering.languages import words_of
from milepost.notifications.mail.rendering.renderer import MailRenderer
from milepost.notifications.mail.rendering.samples import sample
from milepost.notifications.notice import CUSTOMER_KINDS, TEAM_KINDS, Audience
from milepost.notifications.subscription import DigestReason
from milepost.orders.order import Kind, OrderKey
from tests.builders import NOON, OFFERGRID
from tests.unit.notifications.mail.rendering.mail_builders import (
    CONNECTIONS,
    LANGUAGES,
    NOW,
    InMemory,
    renderer,
    told,
)
from tests.unit.notifications.mail.rendering.mail_reading import read, squeezed

SIGNED = SenderIdentity(
    company="Muster & Söhne GmbH",
    legal="Musterweg 1, 10115 Berlin\nHRB 12345",
    contact="030 5550123",
    reply_to="service@example.org",
)


class Signed:
    """Implements ``Connections``: each with a sender."""

    def __init__(self, **senders: SenderIdentity | None) -> None:
        self._senders = senders

    def get(self, connection_id: str) -> Connection:
        (found,) = [one for one in CONNECTIONS if one.id == connection_id]
        return replace(found, sender=self._senders.get(found.provider, SIGNED))


@pytest.mark.parametrize("audience", list(Audience))
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mail_says_who_sends_it_and_where_answers_go(language: str, audience: Audience) -> None:
    writes = MailRenderer(Signed(), clock=lambda: NOW)
    mail = writes.render(
        *told(Kind.ACCEPTED, Status.ACCEPTED, language=language, audience=audience)
    )
    assert (mail.from_name, mail.reply_to) == ("Muster & Söhne GmbH", "service@example.org")
    seen = squeezed(" ".join(read(mail).seen))
    for line in ("Muster & Söhne GmbH", "Musterweg 1, 10115 Berlin", "HRB 12345"):
        assert line in mail.text.splitlines()
        assert line in entities.unescape(seen)
    closing = f"{words_of(language)['closing']}\nMuster & Söhne GmbH\n"
    assert (closing in mail.text) is (audience is Audience.CUSTOMER)
    assert ("030 5550123" in mail.text) is (audience is Audience.CUSTOMER)


def test_without_a_sender_the_contact_answers_customers_and_nobody_signs_for_a_company() -> None:
    spirii = next(one for one in CONNECTIONS if one.contact)
    for audience, expected in ((Audience.CUSTOMER, spirii.contact), (Audience.TEAM, None)):
        mail = renderer().render(
            *told(Kind.COMPLETED, Status.COMPLETED, connection=spirii, audience=audience)
        )
        assert (mail.from_name, mail.reply_to) == (None, expected)


def test_a_digest_of_two_companies_names_both_and_answers_to_neither_alone() -> None:
    other = SenderIdentity(company="Other Ltd", reply_to="help@example.com")
    writes = MailRenderer(Signed(rabot=other), clock=lambda: NOW)
    lines = [
        told(Kind.ACCEPTED, Status.ACCEPTED, connection=one, audience=Audience.CUSTOMER)
        for one in CONNECTIONS[:2]
    ]
    mail = writes.render_batch(lines, time_zone="Europe/Berlin", reason=DigestReason.MANY)
    assert "Kind regards,\nMuster & Söhne GmbH, Other Ltd\n" in mail.text
    assert "HRB 12345" in mail.text
    assert (mail.from_name, mail.reply_to) == (None, None)


def _footer(mail: Mail) -> str:
    return squeezed(mail.text.split("\n--\n")[1])


def test_each_recipient_is_told_the_true_reason_for_the_mail() -> None:
    team, order = told(Kind.ESCALATED, Status.ACCEPTED)
    customer = replace(team, audience=Audience.CUSTOMER, announcement=_accepted())
    subscribed = replace(team, subscription="s-1", announcement=_accepted())
    theirs = replace(customer, copy=1, recipient="Ama@example.com")
    reasons = {
        "subscribed to order updates in Milepost": subscribed,
        "you are the contact for offergrid-home": team,
        "somebody in the team sent it to you": replace(team, announcement=_accepted(), copy=1),
        "you placed this order with us": customer,
        "somebody in the team sent it": replace(theirs, recipient="boss@example.org"),
        "because you placed this order": replace(theirs, recipient="ama@example.com"),
    }
    known = replace(order)
    for reason, notice in reasons.items():
        said = _footer(renderer().render(notice, known))
        assert reason in said
        assert said.count("because") == 1
        assert ("subscribed" in said) is (notice is subscribed)


def _accepted() -> Any:
    return told(Kind.ACCEPTED, Status.ACCEPTED)[0].announcement


def test_every_mail_to_the_team_leads_to_the_order_in_the_console_and_none_to_a_customer() -> None:
    console = "https://orders.example/console"
    leading = MailRenderer(InMemory(), console_url=console)
    for kind in Kind:
        for audience, kinds in ((Audience.TEAM, TEAM_KINDS), (Audience.CUSTOMER, CUSTOMER_KINDS)):
            if kind not in kinds:
                continue
            notice, tracked = sample(kind, audience, OFFERGRID, "de")
            mail = leading.render(notice, tracked)
            url = f"{console}/orders/{notice.key.path_id}"
            is_team = audience is Audience.TEAM
            assert (f"\nAuftrag ansehen:\n{url}\n" in mail.text) is is_team, (kind, audience)
            assert (f'href="{url}"' in mail.html) is is_team, (kind, audience)
            digest = leading.render_batch(
                [(notice, tracked)], time_zone="UTC", reason=DigestReason.DAILY
            )
            assert (url in digest.text) is is_team, (kind, audience)
            assert (f'href="{url}"' in digest.html) is is_team, (kind, audience)
            assert (console in mail.text + mail.html + digest.text + digest.html) is is_team
            assert console not in renderer().render(notice, tracked).text


class Pages:
    """Tracking pages of every connection."""

    def url_for(self, key: OrderKey, connection: Connection, *, now: datetime) -> str | None:
        assert connection.id == key.connection
        assert now.tzinfo is not None
        return f"https://api.example/track/{key.order_id}"


def test_every_mail_to_a_customer_leads_to_the_tracking_page_and_none_to_the_team() -> None:
    leading = MailRenderer(InMemory(), tracking=Pages())
    for kind in Kind:
        for audience, kinds in ((Audience.TEAM, TEAM_KINDS), (Audience.CUSTOMER, CUSTOMER_KINDS)):
            if kind not in kinds:
                continue
            notice, tracked = sample(kind, audience, OFFERGRID, "de")
            mail = leading.render(notice, tracked)
            url = f"https://api.example/track/{notice.key.order_id}"
            is_theirs = audience is Audience.CUSTOMER
            assert (f"\nIhren Auftrag verfolgen:\n{url}\n" in mail.text) is is_theirs
            assert (f'href="{url}"' in mail.html) is is_theirs
            digest = leading.render_batch(
                [(notice, tracked)], time_zone="UTC", reason=DigestReason.DAILY
            )
            assert (url in digest.text) is is_theirs
            assert (f'href="{url}"' in digest.html) is is_theirs
            assert "/track/" not in renderer().render(notice, tracked).text
    notice, tracked = sample(Kind.ACCEPTED, Audience.CUSTOMER, OFFERGRID, "de")
    erased = replace(tracked, erased_at=NOON)
    gone = leading.render_batch([(notice, erased)], time_zone="UTC", reason=DigestReason.DAILY)
    assert "/track/" not in gone.text
