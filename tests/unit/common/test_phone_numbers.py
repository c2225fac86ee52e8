"""Phone numbers: which spellings are one number."""

import pytest

from milepost.common.calling_codes import calling_code
from milepost.common.phone_numbers import dialled_forms, numbers_in, phone_forms


def is_same(one: str, other: str) -> bool:
    return not phone_forms(one).known.isdisjoint(phone_forms(other).asked)


@pytest.mark.parametrize(
    "other",
    [
        "+49 30 1234567",
        "+49301234567",
        "0049 30 1234567",
        "004930/1234567",
        "+49 (0)30 / 123 45 67",
        "+49 (30) 1234567",
        "030 1234567",
        "030/1234567",
        "0030 1234567",
        "49 30 1234567",
        "+49 030 1234567",
        "\uff0b49 30 1234567",
    ],
)
def test_spellings_of_one_number_are_the_same_both_ways(other: str) -> None:
    assert is_same("+49 30 1234567", other)
    assert is_same(other, "+49 30 1234567") or other.startswith("0030")


@pytest.mark.parametrize(
    "other",
    ["+49 30 1234568", "+49 30 12345678", "+43 30 1234567", "+49 40 1234567", "1234567", "", "112"],
)
def test_other_numbers_are_not(other: str) -> None:
    assert not is_same("+49 30 1234567", other)


@pytest.mark.parametrize(
    "text",
    ["call 030 1234567, please", "tel:+49301234567", "030 1234567 040 7654321", "(030) 1234567;"],
)
def test_a_number_is_found_in_a_text(text: str) -> None:
    known = phone_forms("+49 30 1234567").known
    assert any(not known.isdisjoint(one.forms.asked) for one in numbers_in(text))


@pytest.mark.parametrize(
    "text", ["+43 30 1234567", "+43 (0)30 1234567", "x301234567", "2026-03-01T10:00:00Z"]
)
def test_a_part_of_another_number_is_not(text: str) -> None:
    known = phone_forms("+49 30 1234567").known
    assert all(known.isdisjoint(one.forms.asked) for one in numbers_in(text))


@pytest.mark.parametrize(
    ("stored", "asked", "country"),
    [
        ("+49 30 1234567", "030/1234567", "DE"),
        ("+49 (0)30 1234567", "030 123 45 67", "DE"),
        ("+49 30 1234567", "+49 030 1234567", "DE"),
        ("0049 30 1234567", "(030) 1234567", "DE"),
        ("+61 491 570 156", "0491 570 156", "AU"),
        ("+45 20 55 12 34", "20551234", "DK"),
        ("+233 24 555 0101", "024 555 0101", "GH"),
        ("+39 06 1234 5678", "06 1234 5678", "IT"),
        ("030 1234567", "+49 30 1234567", "DE"),
        ("+49 30 1234567", "49 30 1234567", "AU"),
        ("+49 30 1234567", "\uff10\uff13\uff10 1234567", "DE"),
    ],
)
def test_a_number_is_looked_for_as_it_may_have_been_written(
    stored: str, asked: str, country: str
) -> None:
    digits = "".join(c for c in stored if c.isdigit())
    assert digits in dialled_forms(asked, country=country)


@pytest.mark.parametrize(
    ("stored", "asked", "country"),
    [
        ("+43 30 1234567", "030 1234567", "DE"),
        ("+49 30 1234567", "030 1234567", "AT"),
        ("+49 30 1234567", "030 1234568", "DE"),
        ("+49 30 1234567", "+43 30 1234567", "DE"),
        ("+49 112", "112", "DE"),
    ],
)
def test_a_number_of_another_country_is_not_looked_for(
    stored: str, asked: str, country: str
) -> None:
    digits = "".join(c for c in stored if c.isdigit())
    assert digits not in dialled_forms(asked, country=country)


@pytest.mark.parametrize(
    ("country", "code"),
    [("DE", "49"), ("AT", "43"), ("AU", "61"), ("GH", "233"), ("US", "1"), ("AQ", None)],
)
def test_a_country_has_its_calling_code(country: str, code: str | None) -> None:
    assert calling_code(country) == code
