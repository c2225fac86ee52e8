"""What a mail says: what happened, to which order, why, what comes next and by when."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.notifications.notice import Audience
from milepost.orders.order import Kind
from tests.builders import OFFERGRID, RABOT, report, tracked
from tests.unit.notifications.mail.rendering.mail_builders import (
    CONNECTIONS,
    KNOWN,
    LANGUAGES,
    MAILS,
    SPIRII,
    SUBS,
    UNPAID,
    key_of,
    renderer,
    told,
)

VOID = {"meta", "br", "img", "hr"}


class Tags(HTMLParser):
    """Which elements are open, and which attributes there were."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


DATED = {**KNOWN, "appointment": "2026-03-12T02:00:00Z"}


def mail_text(kind: Kind, status: Status, **options: Any) -> str:
    return " ".join(renderer().render(*told(kind, status, **options)).text.split())


@pytest.mark.sampled(2)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "audience"), MAILS)
@pytest.mark.parametrize("connection", CONNECTIONS, ids=lambda one: one.provider)
def test_every_kind_has_a_subject_and_both_parts(
    connection: Any, kind: Kind, audience: Audience, language: str
) -> None:
    mail = renderer().preview(
        str(kind), connection=connection.id, language=language, audience=str(audience)
    )
    assert "SAMPLE-20417" in mail.subject
    assert len(mail.subject) <= 150
    assert mail.subject.isprintable()
    assert max(map(len, mail.text.splitlines())) <= 78
    assert "\n\n\n" not in mail.text
    assert all(line == line.rstrip() for line in mail.text.splitlines())
    assert not re.search(r"\bNone\b|\{|\}|<", mail.text)
    tags = Tags()
    tags.feed(mail.html)
    assert tags.open == []
    assert not re.search(r"\bNone\b|\{\{|\{%", mail.html)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "audience"), MAILS)
def test_an_order_of_which_nothing_is_known_still_gives_a_whole_mail(
    kind: Kind, audience: Audience, language: str
) -> None:
    mail = renderer().render(
        *told(kind, Status.ACCEPTED, audience=audience, language=language, details={})
    )
    assert "ord-1" in mail.subject
    assert not re.search(r"\bNone\b| ,|: *$|\(\)", mail.text.replace("\n", " "))


@pytest.mark.parametrize(("kind", "audience"), MAILS)
def test_html_loads_nothing_and_is_large_enough_to_read(kind: Kind, audience: Audience) -> None:
    html = renderer().render(*told(kind, Status.SCHEDULED, audience=audience)).html
    tags = Tags()
    tags.feed(html)
    assert not {"src", "background", "srcset"} & {name for name, _ in tags.attributes}
    assert "url(" not in html
    assert "@import" not in html
    sizes = [int(size) for size in re.findall(r"font-size:(\d+)px", html)]
    assert min(size for size in sizes if size) >= 14


@pytest.mark.parametrize("audience", list(Audience))
def test_a_rejection_says_why_and_what_to_do(audience: Audience) -> None:
    reason = {**KNOWN, "reason": "Unit number missing", "cause": "missing_unit_number"}
    text = mail_text(Kind.REJECTED, Status.REJECTED, audience=audience, details=reason)
    assert "the unit number is missing" in text
    assert "“Unit number missing”" in text
    assert "sk the customer for the unit number" in text or "tell us the number of your" in text


def test_a_rejection_without_a_reason_says_so_and_whom_to_ask() -> None:
    text = mail_text(Kind.REJECTED, Status.REJECTED)
    assert "The provider did not give a reason. Ask the provider" in text


def test_the_reason_is_still_told_when_the_order_has_moved_on() -> None:
    notice, _ = told(Kind.REJECTED, Status.REJECTED)
    later = tracked(report(Status.REJECTED, 0, reason="No coverage"), report(Status.ACCEPTED, 5))
    from_denied = tracked(*(entry.report for entry in later.order.timeline))
    assert "“No coverage”" in " ".join(renderer().render(notice, from_denied).text.split())


def test_a_mail_written_late_says_where_the_order_stands_now() -> None:
    notice, _ = told(Kind.ACCEPTED, Status.ACCEPTED)
    key = key_of()
    later = tracked(report(Status.ACCEPTED, 0, key=key), report(Status.CANCELLED, 5, key=key))
    mail = renderer().render(notice, later)
    assert re.search(r"Status now:\s+Cancelled", mail.text)
    assert "Next step by" not in mail.text


def test_an_acceptance_says_what_comes_next_and_by_when() -> None:
    text = mail_text(Kind.ACCEPTED, Status.ACCEPTED)
    assert "the appointment is set, usually by Thursday, 5 March 2026" in text
    assert "complete by Monday, 16 March 2026" in text


def test_an_unpaid_fee_is_named_with_its_amount_and_its_day() -> None:
    details = {"invoices": [UNPAID, {**UNPAID, "number": "NE-1", "paid": True}]}
    text = mail_text(Kind.ACCEPTED, Status.ACCEPTED, connection=SUBS, details=details)
    assert "Connection fee (NE-881377), GHS 1,280.00, due on Friday, 20 March 2026" in text
    assert "NE-1" not in text


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ({"sent": True, "sent_at": "2026-03-03T12:00:00Z"}, "on Tuesday, 3 March 2026 at 12:00"),
        ({"sent": True}, "was sent to the customer."),
        ({"sent": False}, "no authorization code for signing yet: send it again"),
    ],
)
def test_it_says_whether_the_authorization_code_was_sent(
    code: dict[str, Any], expected: str
) -> None:
    details = {"authorization_code": code}
    said: dict[str, Any] = {"connection": SUBS, "details": details}
    text = mail_text(Kind.ACCEPTED, Status.ACCEPTED, raw="Contract Generated", **said)
    assert expected in text
    signed = mail_text(Kind.ACCEPTED, Status.ACCEPTED, raw="Connection Fee Generated", **said)
    assert "authorization code" not in signed


_SAYS_ACCEPTED = {
    "en": {"team": "has accepted the order", "customer": "has accepted your order"},
    "de": {"team": "hat den Auftrag", "customer": "hat Ihren Auftrag"},
    "da": {"team": "har accepteret ordren", "customer": "har accepteret din ordre"},
}
_SAYS_DATE = {"en": "appointment", "de": "Termin", "da": "aftalte tid"}


@pytest.mark.parametrize("audience", Audience)
@pytest.mark.parametrize("language", LANGUAGES)
def test_one_mail_says_that_an_order_was_accepted_and_for_when(
    language: str, audience: Audience
) -> None:
    said: dict[str, Any] = {"language": language, "audience": audience, "details": DATED}
    both = mail_text(Kind.SCHEDULED, Status.SCHEDULED, joined=True, **said)
    alone = mail_text(Kind.SCHEDULED, Status.SCHEDULED, **said)
    assert _SAYS_ACCEPTED[language][audience] in both
    assert _SAYS_ACCEPTED[language][audience] not in alone
    assert _SAYS_DATE[language] in both


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "(failed)"), ("de", "(fehlgeschlagen)"), ("da", "(mislykket)")],
)
@pytest.mark.parametrize("audience", Audience)
def test_one_mail_says_that_a_decision_was_taken_back_and_the_new_date(
    audience: Audience, language: str, words: str
) -> None:
    said: dict[str, Any] = {"language": language, "audience": audience, "details": DATED}
    flags = {"joined": True, "correction": True, "previous": Status.FAILED}
    text = mail_text(Kind.SCHEDULED, Status.SCHEDULED, **said, **flags)
    assert words in text
    assert _SAYS_DATE[language] in text


def test_completion_carries_the_numbers_that_are_asked_for_later() -> None:
    numbers = {"account_number": "7001", "meter_number": "P24", "spn": "SPN-4"}
    for audience in Audience:
        details = {**KNOWN, **numbers}
        text = mail_text(Kind.COMPLETED, Status.COMPLETED, audience=audience, details=details)
        assert all(number in text for number in numbers.values())


@pytest.mark.parametrize(
    ("language", "audience", "words"),
    [
        ("en", Audience.TEAM, "Reason: the customer withdrew from the contract."),
        ("en", Audience.CUSTOMER, "You withdrew from the contract."),
        ("de", Audience.TEAM, "Grund: Der Kunde hat den Vertrag widerrufen."),
        ("de", Audience.CUSTOMER, "Sie haben den Vertrag widerrufen."),
        ("da", Audience.TEAM, "Årsag: Kunden har fortrudt aftalen."),
        ("da", Audience.CUSTOMER, "Du har fortrudt aftalen."),
    ],
)
def test_a_revocation_says_that_the_customer_revoked_without_a_reason_of_the_providers(
    language: str, audience: Audience, words: str
) -> None:
    said: dict[str, Any] = {"language": language, "audience": audience, "connection": RABOT}
    details = {**KNOWN, "cause": "customer_revoked"}
    text = mail_text(Kind.CANCELLED, Status.CANCELLED, raw="Revoked", details=details, **said)
    assert words in text


def test_a_cancelled_supply_says_when_it_ends() -> None:
    details = {**KNOWN, "service_type": "energy", "delivery_end": "2026-06-30"}
    mail = renderer().render(
        *told(Kind.CANCELLED, Status.CANCELLED, connection=RABOT, details=details)
    )
    assert "The supply ends on Tuesday, 30 June 2026" in mail.text.replace("\n", " ")
    assert mail.subject.startswith("Supply ends on Tuesday, 30 June 2026: Ama Boateng, PP-20417")


def test_the_five_kinds_of_notes_have_their_labels() -> None:
    kinds = ("next_steps", "timeline", "customer_contact", "account_details")
    notes = [{"kind": kind, "text": f"of {kind}"} for kind in (*kinds, "special_instructions")]
    text = mail_text(Kind.ACCEPTED, Status.ACCEPTED, details={**KNOWN, "notes": notes})
    assert "Next steps: of next_steps" in text
    assert "Timeline: of timeline" in text
    assert "Contact with the customer: of customer_contact" in text
    assert "Account details: of account_details" in text
    assert "Special instructions: of special_instructions" in text


def test_the_customer_reads_nothing_of_our_side() -> None:
    notes = [{"kind": "customer_contact", "text": "called twice"}, {"kind": "other", "text": "hm"}]
    details = {**KNOWN, "notes": notes, "commission": {"amount": 5, "currency": "EUR"}}
    for kind, audience in MAILS:
        if audience is Audience.CUSTOMER:
            notice, order = told(kind, Status.ACCEPTED, audience=audience, details=details)
            mail = renderer().render(notice, order)
            said = mail.subject + mail.text + mail.html
            for ours in ("offergrid", "called twice", "hm<", "Commission", "Milepost", "ord-1"):
                assert ours not in said


def test_the_customer_is_spoken_to_by_name_and_told_whom_to_ask() -> None:
    text = mail_text(
        Kind.COMPLETED, Status.COMPLETED, connection=SPIRII, audience=Audience.CUSTOMER
    )
    assert text.startswith("Hello Ama Boateng,")
    assert "help@example.org" in text


def test_an_appointment_of_an_order_that_came_to_nothing_is_not_shown() -> None:
    details = {**KNOWN, "appointment": "2026-03-12T02:00:00Z"}
    assert "12 March" not in mail_text(Kind.CANCELLED, Status.CANCELLED, details=details)


def test_attention_says_in_every_language_what_to_do() -> None:
    mail = renderer().preview(
        "attention", connection=OFFERGRID.id, language="de", audience=str(Audience.TEAM)
    )
    assert "hat keine Wohnungsnummer" in mail.text.replace("\n", " ")


def test_nobody_else_than_the_team_is_told_of_overdue_orders() -> None:
    with pytest.raises(LookupError, match="no mail of kind overdue for the customer"):
        renderer().render(*told(Kind.OVERDUE, Status.ACCEPTED, audience=Audience.CUSTOMER))


def test_a_link_to_unsubscribe_stands_in_the_footer_and_the_headers() -> None:
    url = "https://mail.example/unsubscribe?token=a.b-c&kind=all"
    mail = renderer().render(*told(Kind.ACCEPTED, Status.ACCEPTED), unsubscribe_url=url)
    assert mail.headers == {
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert url in mail.text
    assert f'href="{url.replace("&", "&amp;")}"' in mail.html


def test_without_a_link_to_unsubscribe_there_is_no_trace_of_one() -> None:
    mail = renderer().render(*told(Kind.ACCEPTED, Status.ACCEPTED))
    assert mail.headers == {}
    assert "nsubscribe" not in mail.text + mail.html


@pytest.mark.parametrize("url", ["javascript:x", "https://a/\r\nBcc: b@c.d", "https://a/>,<b"])
def test_what_is_no_url_gets_into_no_header(url: str) -> None:
    with pytest.raises(ValueError, match="link to unsubscribe"):
        renderer().render(*told(Kind.ACCEPTED, Status.ACCEPTED), unsubscribe_url=url)


def test_a_preview_is_marked_as_a_sample() -> None:
    mail = renderer().preview("rejected", connection=RABOT.id, language="de", audience="customer")
    assert mail.subject.startswith("[Muster] ")
    assert "MUSTER MIT ERFUNDENEN ANGABEN" in mail.text
    assert "Dies ist ein Muster" in mail.html


APPOINTED = {**KNOWN, "appointment": "2026-03-09T00:00:00Z"}


def test_times_are_those_of_the_recipient_when_they_have_a_zone_of_their_own() -> None:
    notice, order = told(Kind.SCHEDULED, Status.SCHEDULED, details=APPOINTED)
    text = " ".join(renderer().render(notice, order, time_zone="Europe/Berlin").text.split())
    assert "Berlin time" in text
    assert "Melbourne time" not in text


def test_the_next_step_of_a_scheduled_order_is_never_before_its_appointment() -> None:
    late = {**KNOWN, "appointment": "2026-04-20T00:00:00Z"}
    notice, order = told(Kind.SCHEDULED, Status.SCHEDULED, details=late)
    text = " ".join(renderer().render(notice, order).text.split())
    assert "Next step by: Monday, 20 April 2026" in text
    assert "16 March" not in text


def test_a_forced_mail_leads_with_how_the_order_stands_and_another_does_not() -> None:
    notice, order = told(Kind.SCHEDULED, Status.SCHEDULED, details=APPOINTED)
    said = "The order is now scheduled."
    assert renderer().render(replace(notice, forced=True), order).text.startswith(said)
    assert said not in renderer().render(notice, order).text


def test_an_order_that_went_on_from_completed_to_active_is_as_announced() -> None:
    notice, _ = told(Kind.COMPLETED, Status.COMPLETED)
    _, order = told(Kind.COMPLETED, Status.ACTIVE)
    assert "stands now" not in renderer().render(notice, order).text
