"""Names, notes and reasons from outside are inert: no markup, no template, no header."""

import re
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.notifications.mail.rendering.sanitize import LONGEST_VALUE, clean, one_line
from milepost.notifications.notice import Audience
from milepost.notifications.subscription import DigestReason
from milepost.orders.order import Kind
from tests.unit.notifications.mail.rendering.mail_builders import renderer, told

ATTACKS = {
    "a header": "Ama\r\nBcc: thief@evil.example\r\n\r\nbody",
    "other line ends": "Ama\u2028Bcc: x\u2029y\x0b\x0c\x85z",
    "markup": "<script>alert(1)</script><img src=x onerror=y>\"'><b>",
    "a template": "{{ 7*7 }}{% raw %}{# x #}${7*7}",
    "a format": "{cause}{0}{x.__class__}%s%(a)s",
    "direction": "\u202egnp.exe\u2066\u200f abc \u05d0\u05d1",
    "hidden": "a\u200bb\u200d\ufeff\u00ad\x00\x1b[31mc",
    "one long word": "W" * 10_000,
    "many words": "very " * 2_000,
    "marks": "Z" + "\u0301" * 10_000,
    "only blanks": " \r\n\t\u3000 ",
}


def hostile_details(attack: str) -> dict[str, Any]:
    return {
        "reference": attack,
        "customer": {"name": attack, "business": attack},
        "address": {"street": attack, "unit": attack, "city": attack, "country": attack},
        "service_type": attack,
        "offer": {"name": attack, "supplier": attack},
        "reason": attack,
        "notes": [{"kind": "next_steps", "text": "note " + attack}, {"kind": attack, "text": "x"}],
        "invoices": [{"number": attack, "kind": attack, "currency": attack, "due_on": attack}],
        "appointment": attack,
        "account_number": attack,
        "processing_info": attack,
        "installer": {"kind": attack, "name": attack},
    }


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
@pytest.mark.parametrize("audience", list(Audience))
@pytest.mark.parametrize("kind", [Kind.REJECTED, Kind.COMPLETED])
def test_an_attack_is_text_and_nothing_else(kind: Kind, audience: Audience, attack: str) -> None:
    status = Status(str(kind))
    mail = renderer().render(
        *told(kind, status, audience=audience, language="de", details=hostile_details(attack))
    )
    harmless = renderer().render(
        *told(kind, status, audience=audience, language="de", details=hostile_details("Ama"))
    )
    assert mail.subject.isprintable()
    assert 10 < len(mail.subject) <= 150
    assert mail.headers == {}
    assert mail.to == "sales@example.org"
    assert all(line.isprintable() for line in mail.text.splitlines())
    assert max(map(len, mail.text.splitlines())) <= 78
    assert not re.search(r"^Bcc:", mail.text, re.MULTILINE)
    assert "49" not in mail.text
    assert set(_elements(mail.html)) <= set(_elements(harmless.html)) | {"bdi"}
    assert len(mail.html) < 30_000


def _elements(html: str) -> list[str]:
    return re.findall(r"<(\w+)", html)


def test_a_name_that_holds_a_link_is_not_spoken_to() -> None:
    details = {"customer": {"name": "You won, see www.evil.example"}}
    notice, order = told(
        Kind.ACCEPTED, Status.ACCEPTED, audience=Audience.CUSTOMER, details=details
    )
    assert renderer().render(notice, order).text.startswith("Hello,\n")


def test_a_name_in_right_to_left_letters_turns_only_itself_around() -> None:
    details = {"customer": {"name": "אבג"}}
    mail = renderer().render(*told(Kind.ACCEPTED, Status.ACCEPTED, details=details))
    assert "<bdi>אבג</bdi>" in mail.html


def test_names_of_people_stay_as_they_are_written() -> None:
    for name in ("Zoë O'Brien-Müller", "Nguyễn Thị Hòa", "李小龍", "Ævar Þórsson"):
        assert one_line(name) == name


@pytest.mark.parametrize(
    "text",
    [
        "👨‍👩‍👧‍👦 Sample",  # a family, joined by ZWJ
        "👩🏽‍🚒",  # with a tone of skin
        "❤️‍🔥",  # with a variation selector
        "می‌خواهم",  # Persian with ZWNJ
        "علی‌رضا",
        "क्‍ष",  # Devanagari with ZWJ after a virama
    ],
)
def test_joiners_of_words_and_emoji_stay(text: str) -> None:
    assert one_line(text) == text
    assert clean(text * 50, 20).rstrip("…")[-1] not in "\u200c\u200d"


@pytest.mark.parametrize(
    "text",
    ["a\u200db", "\u200dAma\u200c", "Ö\u200dl", "И\u200dв", "👨\u200d", "\u200d\u200c", "1\u200d2"],
)
def test_joiners_that_only_hide_are_dropped(text: str) -> None:
    assert not set("\u200c\u200d") & set(one_line(text))


@pytest.mark.parametrize(
    "text",
    [
        "\u200b\u200c\u200d\u2060\ufeff",
        "\u3164\u115f\u1160\uffa0",
        "\u2800",
        "\u034f\u17b4\u180b",
        "\u202e\u2066\u2069",
        "\u0301\ufe0f",
        "\U000e0041",
        " \u00a0\u3000",
        "\u00ad",
    ],
)
def test_a_text_of_which_nothing_can_be_seen_is_missing(text: str) -> None:
    assert clean(text) == ""
    details = {"reference": text, "customer": {"name": text, "business": text}}
    notice, order = told(
        Kind.ACCEPTED, Status.ACCEPTED, audience=Audience.CUSTOMER, details=details
    )
    mail = renderer().render(notice, order)
    assert mail.subject == "Your order ord-1 has been accepted"
    assert mail.text.startswith("Hello,\n")
    held = renderer().render_batch(
        [(notice, order)] * 2, time_zone="Europe/Berlin", reason=DigestReason.MANY
    )
    assert "- ord-1: " in held.text


def test_half_a_character_is_left_out() -> None:
    assert clean("a\ud800b") == "ab"


def test_a_value_is_cut_at_a_word() -> None:
    cut = clean("word " * 1_000)
    assert len(cut) <= LONGEST_VALUE
    assert cut.endswith("word…")
