"""Postal addresses are written the way of their country."""

import pytest

from milepost.notifications.mail.rendering.postal_addresses import country_code, one_line_address
from milepost.orders.details import Address

STREET = {"street": "12 Ring Road", "postcode": "3000", "city": "Carlton"}


@pytest.mark.parametrize(
    ("country", "address", "expected"),
    [
        ("AU", {**STREET, "region": "VIC"}, "12 Ring Road, Carlton VIC 3000"),
        ("AU", {**STREET, "unit": "4", "region": "VIC"}, "4/12 Ring Road, Carlton VIC 3000"),
        ("AU", {**STREET, "unit": "Shop 4b"}, "Shop 4b, 12 Ring Road, Carlton 3000"),
        ("AU", {**STREET, "city": "Carlton, Melbourne"}, "12 Ring Road, Carlton 3000"),
        ("NZ", {**STREET, "unit": "4", "postcode": "6011"}, "4/12 Ring Road, Carlton 6011"),
        (
            "DE",
            {
                "street": "Lindenstraße 5",
                "unit": "Hinterhaus",
                "postcode": "10969",
                "city": "Berlin",
            },
            "Lindenstraße 5, Hinterhaus, 10969 Berlin",
        ),
        (
            "DK",
            {"street": "Ringvej 12", "unit": "2. tv.", "postcode": "2100", "city": "København Ø"},
            "Ringvej 12, 2. tv., 2100 København Ø",
        ),
        (
            "GB",
            {"street": "12 High Street", "unit": "4", "postcode": "SW1A 1AA", "city": "London"},
            "Flat 4, 12 High Street, London, SW1A 1AA",
        ),
        (
            "US",
            {
                "street": "12 Main St",
                "unit": "4B",
                "city": "Austin",
                "region": "TX",
                "postcode": "78701",
            },
            "12 Main St, Apt 4B, Austin, TX 78701",
        ),
        ("US", {"city": "Austin", "postcode": "78701"}, "Austin, 78701"),
        (
            "CA",
            {"street": "12 Main St", "city": "Toronto", "region": "ON", "postcode": "M5H 2N2"},
            "12 Main St, Toronto ON M5H 2N2",
        ),
        (
            "GH",
            {"street": "12 Ring Road", "city": "Accra", "region": "Greater Accra"},
            "12 Ring Road, Accra, Greater Accra",
        ),
        ("IT", {**STREET, "city": "Roma", "region": "RM"}, "12 Ring Road, 3000 Roma RM"),
        ("IN", {**STREET, "region": "Goa"}, "12 Ring Road, Carlton 3000, Goa"),
        ("XX", {**STREET, "region": "R"}, "12 Ring Road, Carlton, R, 3000"),
        ("DE", {"postcode": "10969"}, "10969"),
        ("DE", {"unit": "4"}, "4"),
        ("DE", {}, None),
        ("DE", {"street": "\u200b", "city": "\u3164"}, None),
    ],
)
def test_an_address_follows_its_country(
    country: str, address: Address, expected: str | None
) -> None:
    assert one_line_address(address, country=country, language="en") == expected
    named: Address = {**address, "country": country}
    assert one_line_address(named, country=country, language="en") == expected


@pytest.mark.parametrize(
    ("named", "language", "expected"),
    [
        ("DE", "da", "Lindenstraße 5, 10969 Berlin, Tyskland"),
        ("Germany", "de", "Lindenstraße 5, 10969 Berlin, Deutschland"),
        ("deutschland", "en", "Lindenstraße 5, 10969 Berlin, Germany"),
        ("DEU", "en", "Lindenstraße 5, 10969 Berlin, Germany"),
    ],
)
def test_another_country_than_the_connection_s_decides_and_is_named(
    named: str, language: str, expected: str
) -> None:
    address: Address = {
        "street": "Lindenstraße 5",
        "postcode": "10969",
        "city": "Berlin",
        "country": named,
    }
    assert one_line_address(address, country="AU", language=language) == expected


def test_a_country_that_is_none_stays_as_it_is_written() -> None:
    address: Address = {"street": "5 Long Lane", "city": "Port", "country": "Atlantis"}
    assert one_line_address(address, country="GB", language="en") == "5 Long Lane, Port, Atlantis"
    assert country_code("Atlantis") is None
    assert country_code("zz") is None
    assert country_code("uk") == "GB"
