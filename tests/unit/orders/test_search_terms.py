"""What an order is found by."""

from typing import Any

import pytest

from milepost.orders.details import Details
from milepost.orders.order import OrderKey
from milepost.orders.search_terms import (
    LONGEST_WORD,
    MOST_WORDS,
    customer_id_of,
    customer_id_of_email,
    reference_words,
    search_text,
)
from tests.builders import KEY

OTHER = OrderKey("rabot-energy", "V-1", "V-1")


def customer(key: OrderKey = KEY, **who: str) -> str:
    return customer_id_of(Details(customer=who), key)  # type: ignore[typeddict-item]


def test_one_email_is_one_customer_at_every_connection() -> None:
    mixed = customer(email="Lena.Hoffmann@Example.de ", number="1")
    assert mixed == customer(OTHER, email="lena.hoffmann@example.de", number="2")
    assert mixed == customer_id_of_email("LENA.HOFFMANN@example.de")


def test_one_mailbox_is_one_customer_in_every_spelling() -> None:
    spellings = [
        "lena@müller.de",
        "Lena@MÜLLER.de ",
        "lena@xn--mller-kva.de",
        "lena@mu\u0308ller.de",
        "Lena <lena@müller.de>",
        "mailto:lena@müller.de",
        "lena@müller.de.",
    ]
    assert len({customer(email=one) for one in spellings}) == 1


@pytest.mark.parametrize(
    "email", ["n/a", "-", "unknown", "@", "none@", "@example.de", "\u200b", " "]
)
def test_what_names_no_mailbox_makes_no_customer_of_many(email: str) -> None:
    assert customer(email=email, number="K-1") == customer(number="K-1")
    assert customer(email=email) != customer(OTHER, email=email)


def test_a_customer_number_says_nothing_at_another_connection() -> None:
    assert customer(number="K-1") != customer(OTHER, number="K-1")


def test_without_email_the_number_decides_and_then_the_phone() -> None:
    assert customer(number="K-1", phone="1") == customer(number="K-1", phone="2")
    assert customer(phone="+49 30 123") == customer(OTHER, phone="4930123")


def test_who_has_left_no_trace_is_a_customer_of_each_order() -> None:
    assert customer(name="Lena") != customer(OTHER, name="Lena")
    assert customer_id_of(Details(), KEY) == customer(name="Lena")


def test_an_id_tells_nothing_of_who_it_is() -> None:
    found = customer(email="lena@example.de")
    assert len(found) == 16
    assert int(found, 16)


@pytest.mark.parametrize("typed", ["sp-2026-9", "2026-900", "90012", "SP-2026-90012", " 2026"])
def test_a_reference_is_found_by_the_start_of_any_of_its_words(typed: str) -> None:
    assert any(word.startswith(search_text(typed)) for word in reference_words("SP-2026-90012"))


@pytest.mark.parametrize("typed", ["0012", "p-2026", "2026-8"])
def test_a_reference_is_not_found_by_what_stands_within_a_word(typed: str) -> None:
    assert not any(word.startswith(search_text(typed)) for word in reference_words("SP-2026-90012"))


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("", ()),
        (" -- ", ()),
        ("A A", ("a a", "a")),
        ("STRAẞE 7", ("strasse 7", "7")),
        ("ＡＢ１", ("ab1",)),
    ],
)
def test_words_of_a_reference(reference: str, words: tuple[str, ...]) -> None:
    assert reference_words(reference) == words


def test_a_reference_without_end_gives_few_and_short_words() -> None:
    words: Any = reference_words("x-" * 50_000)
    assert len(words) <= MOST_WORDS
    assert max(map(len, words)) <= LONGEST_WORD
    assert words[0].startswith(search_text("x-" * 50_000))
