"""What is missing or mistyped in an order's facts."""

from collections.abc import Iterable
from typing import Any

import pytest

from milepost.orders.details import Details
from milepost.orders.order import Attention
from milepost.providers.completeness import (
    INVALID,
    MISSING,
    check_contact,
    check_meter_identifiers,
    check_unit,
)

MELO = "DE0001234567890000000000000012345"


def codes(found: Iterable[Attention]) -> list[str]:
    return [one.code for one in found]


def details(**facts: Any) -> Details:
    return Details(**facts)  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("customer", "expected"),
    [
        ({"email": "lena@example.de"}, []),
        ({"email": "lena@example"}, [INVALID]),
        ({"email": "lena@example.de, jo@example.de"}, [INVALID]),
        ({"name": "Lena"}, []),
        (None, []),
    ],
)
def test_an_address_that_is_given_has_to_be_one(
    customer: dict[str, str] | None, expected: list[str]
) -> None:
    given = details(customer=customer) if customer else details()
    assert codes(check_contact(given)) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ({"street": "18 Lygon Street"}, []),
        ({"street": "18 Lygon Street", "unit": "4B"}, []),
        ({"street": "Apartment building, 18 Lygon Street"}, [MISSING]),
        ({"street": "Unit 18 Lygon Street", "unit": "4B"}, []),
        ({"street": "Tower 2, 18 Lygon Street", "unit": ""}, [MISSING]),
        ({"street": "LEVEL 3, 18 Lygon Street"}, [MISSING]),
        ({"street": "18 Flatbush Avenue"}, []),
        ({"street": "18 Suitedale Road"}, []),
        ({"unit": "4B"}, []),
        (None, []),
    ],
)
def test_an_address_in_a_building_of_many_units_has_to_name_one(
    address: dict[str, str] | None, expected: list[str]
) -> None:
    given = details(address=address) if address else details()
    assert codes(check_unit(given)) == expected


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        ({"malo": "51238696781", "melo": MELO, "meter_number": "1EMH0011223344"}, []),
        ({}, []),
        ({"malo": "51238 69 6781", "melo": f"{MELO[:2]} {MELO[2:8]}\t{MELO[8:]}"}, []),
        ({"malo": "5123 869 6782"}, ["MaLo"]),
        ({"malo": "12345678910"}, ["MaLo"]),
        ({"melo": MELO.lower()}, ["MeLo"]),
        ({"meter_number": "?"}, ["meter"]),
        ({"malo": "1", "melo": "2", "meter_number": "3"}, ["MaLo", "MeLo", "meter"]),
    ],
)
def test_identifiers_that_are_given_have_to_have_their_form(
    facts: dict[str, str], named: list[str]
) -> None:
    found = list(check_meter_identifiers(details(**facts)))
    assert codes(found) == [INVALID] * len(named)
    assert all(name in one.text for name, one in zip(named, found, strict=True))


def test_a_reason_to_look_repeats_nothing_that_is_personal() -> None:
    given = details(customer={"email": "lena@example"}, malo="12345678910")
    texts = " ".join(one.text for one in (*check_contact(given), *check_meter_identifiers(given)))
    assert "lena" not in texts
    assert "12345678910" not in texts
