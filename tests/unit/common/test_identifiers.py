"""Identifiers of the energy market and of meters: which have their form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.common.identifiers import is_malo, is_melo, is_meter_number

MALOS = ["51238696781", "41373559241", "56789012345"]
MELO = "DE0001234567890000000000000012345"


@pytest.mark.parametrize("malo", MALOS)
def test_a_malo_whose_last_digit_checks_the_others_is_right(malo: str) -> None:
    assert is_malo(malo)


@pytest.mark.parametrize(
    "text",
    [
        "12345678910",
        "01238696781",
        "5123869678",
        "512386967811",
        " 51238696781",
        "51238696781\n",
        "5123869678A",
        "٥١٢٣٨٦٩٦٧٨١",
        "",
        MELO,
    ],
)
def test_any_other_number_is_no_malo(text: str) -> None:
    assert not is_malo(text)


@given(st.sampled_from(MALOS), st.integers(0, 10), st.sampled_from("0123456789"))
def test_one_wrong_digit_is_always_noticed(malo: str, place: int, digit: str) -> None:
    changed = malo[:place] + digit + malo[place + 1 :]
    # A digit counts once or twice: 5 more, twice, is 10 more, which the sum can't tell.
    unnoticed = place % 2 == 1 and abs(int(digit) - int(malo[place])) == 5
    assert is_malo(changed) is (changed == malo or unnoticed)


@given(st.integers(10**9, 10**10 - 1))
def test_of_ten_last_digits_one_is_right(first_ten: int) -> None:
    assert sum(is_malo(f"{first_ten}{last}") for last in range(10)) == 1


@pytest.mark.parametrize("text", [MELO, "DE" + "0" * 11 + "Z" * 20])
def test_a_melo_is_de_11_digits_and_20_letters_or_digits(text: str) -> None:
    assert is_melo(text)


@pytest.mark.parametrize(
    "text",
    [
        MELO[:-1],
        MELO + "0",
        MELO.lower(),
        "AT" + MELO[2:],
        "DE" + "A" * 31,
        MELO[:-1] + "ß",
        MELO + "\n",
        "",
    ],
)
def test_any_other_text_is_no_melo(text: str) -> None:
    assert not is_melo(text)


@pytest.mark.parametrize(
    "text", ["1EMH0011223344", "1 EMH00 1122 3344", "4711", "12-345.678/9", "a1b2"]
)
def test_what_may_stand_on_a_meter_is_a_meter_number(text: str) -> None:
    assert is_meter_number(text)


@pytest.mark.parametrize(
    "text", ["", "471", "x" * 31, "12  34", "-1234", "1234-", "unknown?", "12\n34", "<b>12</b>"]
)
def test_what_can_stand_on_no_meter_is_none(text: str) -> None:
    assert not is_meter_number(text)
