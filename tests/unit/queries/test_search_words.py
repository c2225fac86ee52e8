"""Words by whose beginnings orders are found: any spelling, any part, all words of a query."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.queries.search_words import readings_of, text_has_words, words_of


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("mul", "Anna Müller"),
        ("MUELLER", "Müller"),
        ("Müller", "Mueller"),
        ("strasse", "Straße"),
        ("kobenhavn", "København"),
        ("åse", "Aase"),
        ("o'brien", "O\u2019Brien"),
        ("OBR", "O'Brien"),
        ("lena", "Anna-Lena"),
        ("annal", "Anna-Lena"),
        ("2026-90", "SP-2026-90012"),
        ("sp-2026-9", "SP 2026/90012".replace(" ", "-")),
        ("90012", "SP-2026-90012"),
        ("1emh00", "1 EMH00 1234567".replace(" ", "")),
        ("12345 678901", "12345678901"),
        ("1234 5678 901", "Malo 12345678901"),
        ("schmidt@example", "anna.schmidt@example.com"),
        ("haupt 7", "Hauptstr. 7"),
        ("schm anna", "Anna Schmidt"),
        ("030 1234 56", "30123456"),
        ("+49 (0)30 123456", "4930123456"),
        ("0049 30 123456", "4930123456"),
        ("schmidt 030 1234", "Schmidt 30123456"),
        ("Ａｎｎａ", "Anna"),
        ("Ива", "Иван Петров"),
    ],
)
def test_a_query_finds_what_people_mean_by_it(query: str, text: str) -> None:
    assert text_has_words(query, [text])


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("nna", "Anna"),
        ("anna weber", "Anna Schmidt"),
        ("7", "Hauptstr. 70 b".replace("70", "17")),
        ("...", "Anna"),
        ("", "Anna"),
        ("10115 b", "10115 Hamburg"),
    ],
)
def test_and_nothing_else(query: str, text: str) -> None:
    assert not text_has_words(query, [text])


@given(st.text(max_size=60))
def test_whatever_has_letters_or_digits_is_found_by_itself(text: str) -> None:
    if readings_of(text) and len(text.split()) <= 8:
        assert text_has_words(text, [text])
        assert all(words_of(text))
