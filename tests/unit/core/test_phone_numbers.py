"""Phone numbers: which spellings are one number."""

import pytest

from milepost.phone_numbers import numbers_in, phone_forms


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
    assert any(not known.isdisjoint(one.asked) for one in numbers_in(text))


@pytest.mark.parametrize(
    "text", ["+43 30 1234567", "+43 (0)30 1234567", "x301234567", "2026-03-01T10:00:00Z"]
)
def test_a_part_of_another_number_is_not(text: str) -> None:
    known = phone_forms("+49 30 1234567").known
    assert all(known.isdisjoint(one.asked) for one in numbers_in(text))
