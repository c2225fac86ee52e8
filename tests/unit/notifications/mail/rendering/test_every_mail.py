"""What holds for every mail, whatever its kind, status, audience, provider, language and facts."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import cycle, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.common.status import Status
from milepost.notifications.mail.message import Mail
from milepost.notifications.mail.rendering.languages import counted, words_of
from milepost.notifications.notice import Audience, Notice
from milepost.notifications.subscription import DigestReason
from milepost.orders.lifecycle import fold
from milepost.orders.order import Kind, TrackedOrder
from milepost.orders.provider_rules import Rules
from tests.builders import report
from tests.unit.notifications.mail.rendering.mail_builders import (
    CONNECTIONS,
    KNOWN,
    LANGUAGES,
    MAILS,
    UNPAID,
    key_of,
    renderer,
    told,
)
from tests.unit.notifications.mail.rendering.mail_reading import read, squeezed

FULL: dict[str, Any] = {
    **KNOWN,
    "appointment": "2026-03-12T02:00:00Z",
    "delivery_start": "2026-04-01",
    "reason": "Unit number missing",
    "cause": "missing_unit_number",
    "account_number": "7001",
    "invoices": [UNPAID],
    "authorization_code": {"sent": True, "sent_at": "2026-03-01T12:00:00Z"},
    "notes": [{"kind": "next_steps", "text": "The technician calls ahead."}],
}
FACTS: dict[str, dict[str, Any]] = {
    "all": FULL,
    "none": {},
    "a service": {"service_type": "new_connection"},
    "a service of no name": {"service_type": "smart_meter"},
    "a past appointment": {**KNOWN, "appointment": "2026-02-01T10:00:00Z"},
    "an ended contract": {**KNOWN, "service_type": "energy", "delivery_end": "2026-02-01"},
    "a contract that ends": {**KNOWN, "service_type": "energy", "delivery_end": "2026-06-30"},
    "another cause": {**KNOWN, "reason": "It rained.", "cause": "other"},
    "a full stop": {"offer": {"name": "Fibre Inc."}, "invoices": [{"currency": "DKK"}]},
    "nothing that can be seen": {
        "reference": "\u200b\u2060",
        "customer": {"name": "\u3164\u115f"},
        "offer": {"name": "\u2800 \u200d"},
        "reason": "\ufeff",
    },
}
ENGLISH = re.compile(
    r"\b(the|order|has|have|been|your|you|is|and|with|since|usually|by|next|reason)\b"
)
"""Words that stand in every English mail and are none of German or Danish."""
SAID_BY_OTHERS = re.compile("[„»“][^“«”]*[“«”]|The technician calls ahead.|It rained.")
BROKEN = re.compile(
    r"\bNone\b|\{|\}|\(\)|:\s*[.;,]|[,;:]\s*,|,\s*\.|\s[.,;:](?=\s|$)|(?<!\.)\.\.(?!\.)|…\.|"
    r"\(\(|\)\)|“”|„“|»«|\b12:00\s?am\b|\w\(s\)|GHS\d"
)
SOME = (Status.ACCEPTED, Status.SCHEDULED, Status.ACTIVE, Status.CANCELLED)


def every_mail(
    language: str, statuses: Iterable[Status] = SOME
) -> Iterator[tuple[str, Audience, Mail]]:
    """A mail for each kind, audience, set of facts and status; the provider goes round."""
    writes, providers = renderer(), cycle(CONNECTIONS)
    for (name, facts), (kind, audience), status in product(FACTS.items(), MAILS, statuses):
        connection = next(providers)
        notice, order = told(
            kind,
            status,
            connection=connection,
            language=language,
            audience=audience,
            details=facts,
        )
        # Also of orders that are still where the announcement left them, and of such as moved on.
        one = replace(notice.announcement, status=status if status in SOME[:2] else SOME[0])
        where = f"{name} {kind} {status} {connection.provider}"
        yield where, audience, writes.render(replace(notice, announcement=one), order)


@pytest.mark.thorough
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_broken_in_any_status(language: str) -> None:
    check_sentences(language, Status)


@pytest.mark.thorough
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_broken_and_no_word_is_of_another_language(language: str) -> None:
    check_sentences(language, SOME)


def check_sentences(language: str, statuses: Iterable[Status]) -> None:
    for where, audience, mail in every_mail(language, statuses):
        seen = squeezed(" ".join(read(mail).seen))
        for said in (mail.subject, squeezed(mail.text), seen):
            assert not (found := BROKEN.search(said)), (where, found, said)
        body = SAID_BY_OTHERS.sub("", mail.text.split("\n--\n")[0])
        if language != "en":
            assert not (found := ENGLISH.search(_without_values(body))), (where, found, body)
        words = words_of(language)
        if audience is Audience.CUSTOMER:
            greeting = words["greeting"].format(name="Ama Boateng"), words["greeting_nameless"]
            assert mail.text.splitlines()[0] in greeting, where
            assert f"{words['closing']}\n{words['signature']}\n" in mail.text, where
            assert words["closing"] in seen


def _without_values(text: str) -> str:
    """The sentences without the table of facts, whose values are the provider's."""
    return "\n".join(line for line in text.splitlines() if not re.match(r"[^.]{3,28}:  ?\S", line))


@pytest.mark.thorough
@pytest.mark.parametrize("language", LANGUAGES)
def test_both_parts_say_the_same_and_the_head_says_in_which_language(language: str) -> None:
    for where, _, mail in every_mail(language):
        words = read(mail)
        seen = squeezed(" ".join(words.seen))
        assert f'<html lang="{language}">' in mail.html
        preheader = squeezed(words.hidden[-1])
        assert preheader in squeezed(mail.text), where
        assert len(preheader) > 10, where
        bare = re.sub(r"\W", "", seen)
        for line in mail.text.splitlines():
            said = re.sub(r"\W", "", line)
            assert said in bare, (where, line)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("audience", list(Audience))
@pytest.mark.parametrize("reason", list(DigestReason))
def test_digests_hold_to_the_same(reason: DigestReason, audience: Audience, language: str) -> None:
    mail = renderer().preview_digest(
        reason, connection="rabot-energy", language=language, audience=str(audience)
    )
    words, seen = words_of(language), squeezed(" ".join(read(mail).seen))
    for said in (mail.subject, squeezed(mail.text), seen):
        assert not (found := BROKEN.search(said)), (found, said)
    assert f'<html lang="{language}">' in mail.html
    is_customer = audience is Audience.CUSTOMER
    heading = words["digest"]["customer" if is_customer else reason]
    assert heading in mail.text.splitlines()
    assert heading in seen
    bare = re.sub(r"\W", "", seen)
    for line in mail.text.splitlines()[2:]:
        assert re.sub(r"\W", "", line) in bare
    assert (f"\n{words['greeting'].format(name='Alex Sample')}\n" in mail.text) is is_customer
    assert (f"\n{words['closing']}\n{words['signature']}\n" in mail.text) is is_customer


@pytest.mark.parametrize("audience", list(Audience))
def test_colours_are_readable_on_light_and_on_dark_screens(audience: Audience) -> None:
    for kind in Kind:
        if (kind, audience) not in MAILS:
            continue
        html = renderer().render(*told(kind, Status.ACCEPTED, audience=audience)).html
        assert '<meta name="color-scheme" content="light dark">' in html
        dark = html.partition("@media (prefers-color-scheme: dark) {")[2].partition("</style>")[0]
        for colour in re.findall(r"(?<![-\w])color:(#\w{6})", html.partition("<body")[2]):
            assert contrast(colour, "#f3f6f9") >= 4.5, colour
        for name, colour in re.findall(r"\.([a-z]+) \{[^}]*?(?<![-\w])color: (#\w{6})", dark):
            ground = "#4a3c10" if name == "sample" else "#28303a"
            assert contrast(colour, ground) >= 4.5, (name, colour)
        used = set(re.findall(r'class="([\w -]+)"', html.partition("<body")[2]))
        for name in " ".join(used).split():
            assert f".{name} {{" in dark, name


def contrast(one: str, other: str) -> float:
    """Source: WCAG 2.2, contrast ratio; 4.5 is level AA."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, {"en": "1 update: ", "de": "1 neue Meldung: ", "da": "1 ny besked: "}),
        (2, {"en": "2 updates: ", "de": "2 neue Meldungen: ", "da": "2 nye beskeder: "}),
        (21, {"en": "21 updates: ", "de": "21 neue Meldungen: ", "da": "21 nye beskeder: "}),
    ],
)
def test_numbers_have_the_plural_form_of_the_language(count: int, said: dict[str, str]) -> None:
    for language in LANGUAGES:
        form = counted(words_of(language)["digest"]["subject"], count, language)
        assert form == said[language] + "{kinds}"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=True)
    | st.text(max_size=12)
    | st.sampled_from(["2026-02-30", "9999-12-31T23:59:59Z", "0001-01-01", "2026-03-01T00:00:00Z"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "kind",
                    "text",
                    "amount",
                    "currency",
                    "due_on",
                    "street",
                    "unit",
                    "city",
                    "country",
                    "sent",
                    "sent_at",
                    "supplier",
                    "email",
                    "status",
                    "type",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=6,
)
KEYS = [
    *KNOWN, "appointment", "delivery_start", "delivery_end", "reason", "cause", "notes", "invoices",
    "authorization_code", "installer", "commission", "charge_box", "emails", "account_number",
    "meter_number", "malo", "spn", "processing_info", "ordered_at", "signed_at", "track",
]  # fmt: skip


@pytest.mark.thorough
@settings(max_examples=150, deadline=None)
@given(
    facts=st.dictionaries(st.sampled_from(KEYS), JSON, max_size=8),
    mail=st.sampled_from(MAILS),
    status=st.sampled_from(list(Status)),
    language=st.sampled_from(LANGUAGES),
)
def test_no_fact_that_was_ever_stored_can_stop_a_mail(
    facts: dict[str, Any], mail: tuple[Kind, Audience], status: Status, language: str
) -> None:
    notice, order = _stored(*mail, status, language, facts)
    made = renderer().render(notice, order)
    assert made.subject
    assert "None" not in made.subject or "None" in repr(facts)
    held = [(notice, order), (replace(notice, key=key_of(number=2)), order)]
    assert (
        renderer().render_batch(held, time_zone="Europe/Berlin", reason=DigestReason.MANY).subject
    )


def _stored(
    kind: Kind, audience: Audience, status: Status, language: str, facts: dict[str, Any]
) -> tuple[Notice, TrackedOrder]:
    """An order whose facts are as an item of the table gives them, checked by nobody."""
    notice, _ = told(kind, status, audience=audience, language=language, details={})
    clean = fold([report(status, key=key_of())], Rules())
    return notice, TrackedOrder(order=replace(clean, details=facts), version=1)  # type: ignore[arg-type]
