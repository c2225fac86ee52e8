"""What a customer reads of the provider's reason: a list decides what is quoted."""

import pytest

from milepost.common.status import Status
from milepost.notifications.notice import Audience
from milepost.notifications.subscription import DigestReason
from milepost.orders.order import Kind
from tests.unit.notifications.mail.rendering.mail_builders import KNOWN, LANGUAGES, renderer, told

SECRET = "Bonitätsprüfung nicht bestanden (SCHUFA)"
DISCREET = {
    "en": "We are happy to explain the provider's reason to you in person.",
    "de": "Den Grund des Anbieters erläutern wir Ihnen gern persönlich.",
    "da": "Vi forklarer dig gerne udbyderens begrundelse personligt.",
}
ENDINGS = [
    (Kind.REJECTED, Status.REJECTED),
    (Kind.CANCELLED, Status.CANCELLED),
]


def mail(kind: Kind, status: Status, audience: Audience, language: str, **facts: object) -> str:
    notice, order = told(
        kind, status, audience=audience, language=language, details={**KNOWN, **facts}
    )
    written = renderer().render(notice, order)
    said = f"{written.subject}\n{written.text}\n{written.html}"
    return " ".join(said.replace("&#39;", "'").split())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "status"), ENDINGS)
@pytest.mark.parametrize("cause", [None, "other", "credit_check"])
def test_a_customer_never_reads_of_a_credit_check(
    kind: Kind, status: Status, language: str, cause: str | None
) -> None:
    facts = {
        "reason": SECRET,
        "notes": [{"kind": "next_steps", "text": "Deposit needed: creditworthiness is low"}],
        **({"cause": cause} if cause else {}),
    }
    text = mail(kind, status, Audience.CUSTOMER, language, **facts)
    assert DISCREET[language] in text
    for word in ("onit", "SCHUFA", "redit", "eposit"):
        assert word not in text
    team = mail(kind, status, Audience.TEAM, language, **facts)
    assert SECRET in team
    assert "Deposit needed" in team


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "status"), ENDINGS)
def test_a_credit_check_that_only_the_cause_names_is_explained_in_person_too(
    kind: Kind, status: Status, language: str
) -> None:
    text = mail(kind, status, Audience.CUSTOMER, language, cause="credit_check")
    assert DISCREET[language] in text
    offered = {"en": "an offer that suits", "de": "ein Angebot, das zu", "da": "et tilbud, der"}
    assert offered[language] in text
    for word in ("onit", "redit"):
        assert word not in text


@pytest.mark.parametrize(
    ("reason", "is_quoted"),
    [
        ("Unit number missing", True),
        ("Zählernummer unbekannt", True),
        ("Vorversorger hat widersprochen", False),
        ("Customer on internal list 7", False),
        ("Insolvenz", False),
    ],
)
def test_only_reasons_of_causes_on_the_list_are_quoted(reason: str, is_quoted: bool) -> None:
    text = mail(Kind.REJECTED, Status.REJECTED, Audience.CUSTOMER, "en", reason=reason)
    assert (reason in text) is is_quoted
    assert reason in mail(Kind.REJECTED, Status.REJECTED, Audience.TEAM, "en", reason=reason)


def test_a_cause_without_a_quote_is_said_in_our_words() -> None:
    text = mail(
        Kind.REJECTED, Status.REJECTED, Audience.CUSTOMER, "de", reason="Vertragsbindung bis 2027"
    )
    assert "Sie haben noch einen Vertrag bei einem anderen Lieferanten. Bitte sagen Sie" in text


def test_a_digest_is_as_discreet_as_a_mail() -> None:
    lines = [
        told(Kind.REJECTED, Status.REJECTED, audience=Audience.CUSTOMER, details={**KNOWN, **facts})
        for facts in ({"reason": SECRET}, {"reason": "Unit number missing"})
    ]
    written = renderer().render_batch(lines, time_zone="Europe/Berlin", reason=DigestReason.MANY)
    assert "SCHUFA" not in written.text + written.html
    assert "Unit number missing" in written.text


@pytest.mark.parametrize("reason", ["Insolvenz", "On list 7"])
def test_a_cause_that_a_status_says_does_not_have_other_words_quoted(reason: str) -> None:
    facts = {"reason": reason, "cause": "customer_cancelled"}
    text = mail(Kind.CANCELLED, Status.CANCELLED, Audience.CUSTOMER, "en", **facts)
    assert reason not in text
    assert "You cancelled the order." in text
