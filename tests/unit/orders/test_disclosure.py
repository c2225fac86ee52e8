"""What of a provider's words may leave: to programs none, to colleagues what names nobody known."""

from dataclasses import replace
from typing import Any

import pytest

from milepost.common import causes
from milepost.common.status import Status
from milepost.notifications.announcement_message import (
    topic_attributes,
    topic_message,
    topic_subject,
)
from milepost.orders.details import Details
from milepost.orders.disclosure import (
    CAUSES,
    WITHHELD,
    label_of_nobody,
    label_to_disclose,
    reason_for_colleagues,
    reason_to_disclose,
    status_to_disclose,
)
from milepost.orders.order import Kind
from tests.builders import KEY, announced, announcement

ORDER: dict[str, Any] = {
    "customer": {
        "name": "Zoë Müller-Lüdenscheidt",
        "business": "Bäckerei Kornblum",
        "email": "zoe.ml@post.example",
        "phone": "+49 (0)30 901-820",
        "number": "K-204417",
    },
    "address": {"street": "Lindenstraße 14a", "postcode": "10969", "city": "Berlin"},
    "account_number": "AC-55",
    "meter_number": "1EMH0011",
    "installer": {"kind": "contractor", "name": "Nordlys Elektro"},
    "notes": [{"kind": "other", "text": "Left a card at the door"}],
}


def facts(reason: str, **details: Any) -> Details:
    return Details(**{**ORDER, "reason": reason, **details})  # type: ignore[typeddict-item]


def to_programs(reason: str, **details: Any) -> str | None:
    return reason_to_disclose(facts(reason, **details))


def to_colleagues(reason: str, **details: Any) -> str | None:
    return reason_for_colleagues(facts(reason, **details))


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("Max Mustermann war nicht anwesend", None),
        ("Max Mustermann war nicht zu Hause", "customer_not_home"),
        ("the neighbour, Kim Sommer, has the key", None),
        ("Jens Holm var ikke hjemme", "customer_not_home"),
        ("Service not available at this address, says Toby", "outside_service_area"),
        ("Router for Kim Sommer is out of stock", "equipment_not_available"),
        ("Credit check failed", "credit_check"),
        ("No capacity until 2027", None),
        ("x" * 501, None),
    ],
)
def test_programs_get_the_cause_in_our_words_and_never_the_providers(
    reason: str, cause: str | None
) -> None:
    said = CAUSES[cause] if cause else WITHHELD
    assert to_programs(reason) == said
    message = topic_message(announced(Kind.REJECTED, reason=reason))
    assert (message["reason"], message["cause"]) == (said, cause or causes.OTHER)


def test_a_stored_cause_counts_before_the_words() -> None:
    assert to_programs("Toby knows why", cause="customer_not_home") == CAUSES["customer_not_home"]


def test_a_providers_word_leaves_only_for_a_status_that_we_know() -> None:
    one = announced(Kind.ATTENTION)
    known = replace(one, raw_status="On hold", announcement=announcement(status=Status.PENDING))
    unknown = replace(known, announcement=announcement(status=Status.UNKNOWN))
    assert topic_message(known)["raw_status"] == "On hold"
    assert "raw_status" not in topic_message(replace(unknown, raw_status="Kim Sommer called"))


@pytest.mark.parametrize(
    "reason",
    [
        "Service not available at this address",
        "Not serviced in Berlin",
        "No capacity until 2027",
        "Credit check failed",
        "Kein Netzanschluss vorhanden",
        "Kunden har fortrudt",
        "Limit of 30 kW exceeded",
        "Error code 12",
        "Not offered in postcode 3053",
        "The family moved to another town",
    ],
)
def test_colleagues_read_a_reason_that_names_nobody_as_the_provider_wrote_it(reason: str) -> None:
    assert to_colleagues(reason) == reason


@pytest.mark.parametrize(
    "reason",
    [
        "MÜLLER-LÜDENSCHEIDT moved out",
        "muller has moved",
        "zoe\u0308 isn't at home",
        "Ｚｏë said no",
        "Spoke to Kornblum",
        "write to zoe.ml@post.example",
        "write to somebody@else.example",
        "phone 030 901820",
        "phone +49 170 1234567",
        "phone 0491 570 156",
        "born on 31.12.1980",
        "born on 1980-12-31",
        "code 4711-22",
        "see www.example.org",
        "nobody at Lindenstrasse 14 A",
        "account AC 55 is blocked",
        "meter 1emh-0011 is missing",
        "Nordlys has no time",
        "Mrs Smith does not want it",
        "Frau Sommer will nicht",
        "Herr Winter, bitte anrufen",
        "Hr. Jensen svarer ikke",
        "Left a card at the door",
        "x" * 501,
        "Mueller moved out",
        "Kornblums Tür war zu",
        "Mül\u00adler moved out",
        "AMueller77 has the key",
        "gate at Lindenstr. 14a",
        "Mr.Smith does not want it",
        "Hrn. Winter bitte anrufen",
        "Sir Toby said no",
        "Familie Winter ist verreist",
        "Fam. Winter ist verreist",
        "familien Østergaard er flyttet",
        "gate code 4711",
        "Code: 4 7 1 1",
        "PIN is 471",
        "born 12 May 1984",
        "geb. am 3. Mai 84",
    ],
)
def test_colleagues_do_not_get_contact_data_or_what_the_order_knows_of_people(reason: str) -> None:
    assert to_colleagues(reason) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Søren Bo", "Soerens hund"),
        ("Søren Bo", "Bo var ikke hjemme"),
        ("Anna-Lena Kurz", "AnnaLena will nicht"),
        ("李明", "客户李明不在家"),
        ("Łukasz Żak", "Lukasz has moved"),
    ],
)
def test_a_name_is_recognized_however_it_is_written(name: str, reason: str) -> None:
    assert to_colleagues(reason, customer={"name": name}) is None
    assert label_of_nobody(f"7 {reason}"[:64], Details(customer={"name": name})) is None


def test_a_longer_word_that_begins_like_a_short_name_names_nobody() -> None:
    for reason in ("Kurzfristig nicht möglich", "above capacity"):
        assert to_colleagues(reason, customer={"name": "Bo Kurz"}) == reason


def test_what_was_taken_from_notes_stays_also_when_the_notes_have_changed_since() -> None:
    assert to_colleagues("Nobody answers", reason_source="notes", notes=[]) is None
    two = [{"kind": "other", "text": "Gate is locked"}, {"kind": "other", "text": "Dog"}]
    assert to_colleagues("Gate is locked\nDog", notes=two) is None


def test_colleagues_read_a_rejections_own_reason_though_the_notes_repeat_it() -> None:
    said = facts("No fibre there", notes=[{"kind": "other", "text": "No fibre there"}])
    assert reason_for_colleagues(said, of_rejection=True) == "No fibre there"
    assert reason_for_colleagues(said) is None
    said["reason_source"] = "notes"
    assert reason_for_colleagues(said, of_rejection=True) is None


def test_without_a_reason_the_cause_says_why() -> None:
    details = Details(cause="outside_service_area")
    assert reason_to_disclose(details) == "The address is outside of the service area."
    assert reason_to_disclose(Details(cause="other")) is None


def test_every_cause_has_words_of_its_own() -> None:
    assert CAUSES.keys() == set(causes.CAUSES) - {causes.OTHER}


@pytest.mark.parametrize("text", ["internet", "ev_charging", "NC-2026-000417", "A/B: c & d (new)"])
def test_a_label_is_a_few_plain_words(text: str) -> None:
    assert label_to_disclose(text) == text


@pytest.mark.parametrize(
    "text", [None, "", " x", "a@b.example", "a\nb", "<b>", "x" * 65, "ring +49 30", "ring (030) 9"]
)
def test_more_than_that_is_none(text: str | None) -> None:
    assert label_to_disclose(text) is None


def test_a_reference_or_status_with_the_customers_name_in_it_stays_behind() -> None:
    details = Details(**ORDER)
    assert label_of_nobody("PP-20417", details) == "PP-20417"
    assert label_of_nobody("K-204417", details) == "K-204417"
    assert label_of_nobody("Kornblum-2", details) is None
    assert label_of_nobody("Mueller-2026", details) is None
    assert label_of_nobody("A 030 901820", details) is None
    assert status_to_disclose("on_hold", details) == "on_hold"
    assert status_to_disclose("call 0491 570 156", details) is None
    assert status_to_disclose("waiting for Zoe", details) is None


def test_the_subject_and_the_attributes_are_as_careful_as_the_message() -> None:
    for service in ("zoe@post.example", "Kornblum's connection"):
        said = {**ORDER, "reference": "Kornblum 7", "service_type": service}
        one = announced(Kind.REJECTED, **said)
        assert topic_subject(one) == f"Rejected: {KEY.order_id} ({KEY.connection})"
        assert topic_attributes(one)["service_type"] == "unknown"
        assert not {"reference", "service_type"} & topic_message(one).keys()


def test_a_rejection_of_which_only_notes_say_why_says_that_there_is_a_reason() -> None:
    assert topic_message(announced(Kind.REJECTED, **ORDER))["reason"] == WITHHELD
    assert "reason" not in topic_message(announced(Kind.REJECTED))
    assert "reason" not in topic_message(announced(Kind.ACCEPTED, **ORDER))
