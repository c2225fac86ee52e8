"""Which language a recipient gets, and its dates, times, amounts and words."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from babel import Locale

from milepost.common.status import Status
from milepost.notifications.mail.rendering.context import make_context
from milepost.notifications.mail.rendering.facts import mail_values
from milepost.notifications.mail.rendering.formatting import Moments, locale_for
from milepost.notifications.mail.rendering.languages import (
    LANGUAGES,
    TEMPLATES,
    counted,
    language_for,
    words_of,
)
from milepost.notifications.mail.rendering.open_points import attention_sentences
from milepost.orders.attention import CODES, WITHOUT_THE_PROVIDERS_WORDS
from milepost.orders.lifecycle import fold
from milepost.orders.order import OVERDUE, Kind, TrackedOrder
from milepost.orders.provider_rules import Rules
from milepost.providers import rabot
from milepost.providers.base import rules_of
from milepost.providers.spirii import Spirii
from tests.builders import OFFERGRID, RABOT, report
from tests.unit.notifications.mail.rendering.mail_builders import KNOWN, NOW, SPIRII, renderer, told


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("DE_ch", "de"),
        ("da-DK", "da"),
        ("en-US", "en"),
        ("fr", "en"),
        ("", "en"),
        ("../../etc", "en"),
        ("de/../en", "en"),
    ],
)
def test_a_language_falls_back_from_its_region_to_itself_to_english(asked: str, given: str) -> None:
    assert language_for(asked) == given


@pytest.mark.parametrize(
    ("language", "connection", "expected"),
    [
        ("en", OFFERGRID, "Thursday, 12 March 2026 at 1:00 pm (AEDT)"),
        ("en-US", OFFERGRID, "Thursday, March 12, 2026 at 1:00 PM (Melbourne time)"),
        ("en", RABOT, "Thursday, 12 March 2026 at 03:00 (CET)"),
        ("de", RABOT, "Donnerstag, 12. März 2026, 03:00 Uhr (MEZ)"),
        ("de", OFFERGRID, "Donnerstag, 12. März 2026, 13:00 Uhr (Ortszeit Melbourne)"),
        ("da", SPIRII, "torsdag den 12. marts 2026 kl. 03.00 (CET)"),
        ("fr", RABOT, "Thursday, 12 March 2026 at 03:00 (CET)"),
    ],
)
def test_an_appointment_is_told_in_the_recipients_language_and_the_orders_zone(
    language: str, connection: Any, expected: str
) -> None:
    details = {**KNOWN, "appointment": "2026-03-12T02:00:00Z"}
    notice, order = told(
        Kind.SCHEDULED, Status.SCHEDULED, connection=connection, language=language, details=details
    )
    assert expected in renderer().render(notice, order).text.replace("\n", " ")
    assert (
        mail_values(make_context(notice, order.order, connection, now=NOW))["appointment"]
        == expected
    )


def moments_in(language: str, time_zone: str = "Europe/Berlin", **more: Any) -> Moments:
    words = words_of(language)
    return Moments(
        language=language, asked=language, time_zone=time_zone, words=words, now=NOW, **more
    )


def test_summer_time_has_its_own_name() -> None:
    moments = moments_in("de")
    assert moments.full("2026-07-01T10:00:00Z") == "Mittwoch, 1. Juli 2026, 12:00 Uhr (MESZ)"


def test_a_day_has_no_time_and_what_is_no_date_stays_as_it_was_written() -> None:
    moments = moments_in("en")
    assert moments.full("2026-03-01") == "Sunday, 1 March 2026"
    assert moments.full("2026-13-01") == "2026-13-01"
    assert moments.day("end of\r\nMarch") == "end of March"
    assert moments.short(None) is None


@pytest.mark.parametrize(
    ("value", "order_zone", "full", "short"),
    [
        # Midnight of the order's zone: a day that became an instant on its way.
        (
            "2026-03-12T00:00:00+11:00",
            "Australia/Melbourne",
            "Thursday, 12 March 2026",
            "Thu 12 Mar",
        ),
        ("2026-03-11T13:00:00Z", "Australia/Melbourne", "Thursday, 12 March 2026", "Thu 12 Mar"),
        ("2026-03-12T00:00:00Z", "UTC", "Thursday, 12 March 2026", "Thu 12 Mar"),
        ("2026-11-24", "Australia/Melbourne", "Tuesday, 24 November 2026", "Tue 24 Nov"),
        # Midnight of the reader's zone alone is an hour like others, and never "12:00 am".
        (
            "2026-03-11T23:00:00Z",
            "Australia/Melbourne",
            "Thursday, 12 March 2026 at 00:00 (CET)",
            "Thu 12 Mar, 00:00",
        ),
    ],
)
def test_what_came_as_a_day_is_told_as_a_day_in_every_zone(
    value: str, order_zone: str, full: str, short: str
) -> None:
    moments = moments_in("en", order_zone=order_zone)
    assert (moments.full(value), moments.short(value)) == (full, short)


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Kiritimati", "Europe/Berlin"])
def test_a_supply_starts_on_the_order_s_day_whoever_reads_of_it(zone: str) -> None:
    moments = moments_in("de", zone, order_zone="Europe/Berlin")
    assert moments.day("2026-01-01T00:30:00+01:00") == "Donnerstag, 1. Januar 2026"
    assert moments.short_day("2026-01-01T00:30:00+01:00") == "Do., 1. Jan."


@pytest.mark.parametrize(
    "value", ["0001-01-01", "0001-01-01T00:00:00Z", "9999-12-31", "9999-12-31T23:59:59-12:00"]
)
@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Kiritimati"])
def test_a_date_that_means_none_is_not_shown(value: str, zone: str) -> None:
    moments = moments_in("en", zone)
    assert moments.full(value) is moments.day(value) is moments.short(value) is None
    assert moments.is_past(value) is False


def test_a_day_is_over_when_it_has_ended_for_the_reader() -> None:
    # 2 March 2026, 13:02 in Berlin, is 3 March, 02:02 in Kiritimati.
    assert moments_in("en").is_past("2026-03-02") is False
    assert moments_in("en", "Pacific/Kiritimati").is_past("2026-03-02") is True
    assert moments_in("en").is_past("2026-03-02T12:01:00Z") is True
    assert moments_in("en").is_past("2026-03-02T12:03:00Z") is False


def test_a_mail_has_the_recipient_s_zone_and_language_where_they_are_given() -> None:
    details = {**KNOWN, "appointment": "2026-03-12T02:00:00Z"}
    told_of = told(Kind.SCHEDULED, Status.SCHEDULED, details=details)
    notice, order = told_of
    german = replace(notice, language="de")
    mail = renderer().render(german, order, time_zone="Europe/Berlin")
    assert "Donnerstag, 12. März 2026, 03:00 Uhr (MEZ)" in mail.text.replace("\n", " ")
    assert '<html lang="de">' in mail.html


@pytest.mark.parametrize(
    ("language", "amount", "currency", "expected"),
    [
        ("en", "1280.00", "GHS", "GHS 1,280.00"),
        ("en", "-5", "CHF", "-CHF 5.00"),
        ("en", "5", "AUD", "A$5.00"),
        ("de", "1280", "GHS", "1.280,00 GHS"),
        ("da", "149.9", "DKK", "149,90 kr."),
        ("de", "149.905", "EUR", "149,905 €"),
        ("en", "12345678901234567890.12", "EUR", "€12,345,678,901,234,567,890.12"),
        ("en", "5", "<b>\r\n", "5 <b>"),
        ("en", "NaN", "EUR", None),
    ],
)
def test_an_amount_is_exact_and_in_the_recipients_form(
    language: str, amount: str, currency: str, expected: str | None
) -> None:
    assert moments_in(language).amount(Decimal(amount), currency) == expected


def test_english_is_written_with_the_day_first_unless_the_recipient_says_otherwise() -> None:
    assert locale_for("en", "en") == "en_GB"
    assert locale_for("en", "en", "AU") == "en_AU"
    assert locale_for("en", "en-US", "AU") == "en_US"
    assert locale_for("de", "de", "AU") == "de"
    assert locale_for("en", "fr-FR", "xx/..") == "en_GB"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_words_and_templates(language: str) -> None:
    assert set(_names(words_of(language))) == set(_names(words_of("en")))
    ours = {path.relative_to(TEMPLATES / "en") for path in (TEMPLATES / "en").rglob("*.j2")}
    own = TEMPLATES / language
    assert {path.relative_to(own) for path in own.rglob("*.j2")} == ours


PLURALS = {"zero", "one", "two", "few", "many", "other"}
"""Source: CLDR, plural categories."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_count_has_a_form_for_every_number_in_every_language(language: str) -> None:
    forms = words_of(language)["kinds_counted"]
    assert forms.keys() == {*map(str, Kind)}
    needed = {Locale.parse(language).plural_form(count) for count in range(200)}
    assert all(isinstance(one, str) or needed <= one.keys() for one in forms.values())


def test_danish_adjectives_agree_with_the_count() -> None:
    forms = words_of("da")["kinds_counted"]
    said = [counted(forms[kind], count, "da") for kind in ("overdue", "failed") for count in (1, 2)]
    assert said == ["1 forsinket", "2 forsinkede", "1 mislykket", "2 mislykkede"]


def _names(words: dict[str, Any], above: str = "") -> Iterator[str]:
    for name, word in words.items():
        # English needs no translations of the sentences that are English.
        if name in ("attention", "attention_sentences"):
            continue
        # A language has the forms for counts that it needs.
        if isinstance(word, dict) and not word.keys() <= PLURALS:
            yield from _names(word, f"{above}{name}.")
        else:
            yield f"{above}{name}"


@pytest.mark.parametrize("language", ["de", "da"])
def test_what_the_checks_say_of_missing_data_is_translated(language: str) -> None:
    facts: dict[str, Any] = {
        "customer": {"email": "no address"},
        "address": {"street": "Tower 4"},
        "malo": "1",
        "melo": "2",
        "meter_number": "?",
    }
    wrong = fold([report(Status.PENDING, raw="Open", **facts)], rabot.RULES)
    missing = fold([report(Status.PENDING, raw="Open")], rabot.RULES)
    assert len(wrong.attention) == 4
    sentences = words_of(language)["attention_sentences"]
    for order in (wrong, missing):
        assert order.attention
        for reason, said in zip(
            order.attention, attention_sentences(order, words_of(language)), strict=True
        ):
            assert said == sentences[reason.text]


@pytest.mark.parametrize("language", ["de", "da"])
def test_every_kind_of_reason_to_look_has_a_sentence_in_every_language(language: str) -> None:
    # Being overdue is no reason in a mail's text: such mails are of a kind of their own.
    assert CODES - words_of(language)["attention"].keys() == {OVERDUE}
    sentences = words_of(language)["attention_sentences"]
    assert set(WITHOUT_THE_PROVIDERS_WORDS.values()) < sentences.keys()


def test_english_mails_have_no_instants_in_utc_either() -> None:
    late = report(Status.SCHEDULED, raw="Scheduled", appointment="2026-12-31T12:00:00Z")
    back = report(Status.PENDING, 5, raw="Pending")
    said = [
        attention_sentences(fold(reports, rules_of(Spirii(), SPIRII)), words_of("en"))
        for reports in ([late], [late, back], [late, report(None, 5, raw="Paused")])
    ]
    assert said[0][0].startswith("The appointment is unusually far ahead.")
    assert said[1][0].startswith("The provider reports “Pending”, which cannot follow “scheduled”.")
    assert "a status that we don't know: “Paused”. The order stays scheduled" in said[2][0]
    assert "2026-" not in str(said)


def test_an_unknown_status_is_explained_in_the_recipients_language() -> None:
    order = fold([report(Status.ACCEPTED), report(None, 5, raw="Odd\r\nState")], Rules())
    notice, _ = told(Kind.ATTENTION, Status.ACCEPTED, language="da")
    text = renderer().render(notice, TrackedOrder(order=order)).text.replace("\n", " ")
    assert "status, som vi ikke kender: »Odd State«. Ordren forbliver accepteret" in text
