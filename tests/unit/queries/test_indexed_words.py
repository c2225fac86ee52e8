"""What an order is found by: every field, in any spelling, as its connection's settings say."""

from typing import Any

import pytest

from milepost.common.status import Status
from milepost.connections.connection import SEARCH_FIELDS
from milepost.orders.order import Order, OrderKey
from milepost.queries.indexed_words import MOST_ENTRIES, Indexing, indexed_words
from milepost.queries.phone_words import phone_readings
from milepost.queries.search_words import has_all_words, readings_of
from tests.builders import report, tracked

KEY = OrderKey("subs", "ord-2044-77", "item-5e81")
DETAILS: dict[str, Any] = {
    "customer": {
        "name": "Dr. Jürgen Müller-Lüdenscheid",
        "business": "Bäckerei Groß & Söhne GmbH",
        "email": "juergen.mueller@posteo.example",
        "phone": "030/1234567",
        "number": "K-204417",
    },
    "address": {"street": "Große Hauptstr. 7a", "postcode": "10115", "city": "Frankfurt (Oder)"},
    "reference": "PP-2026-90012",
    "meter_number": "1 EMH00 1234567",
    "malo": "51238696781",
    "melo": "DE0005626680200000000000000123456",
    "spn": "800-123-77",
    "account_number": "AC 99 1023",
    "charge_box": {"serial_number": "ZAP-0042-X", "model": "Zap"},
    "invoices": [{"id": "in_1", "number": "RE/2026/0815"}, {"id": "in_2"}],
}
GERMAN = Indexing(country="DE")


def order(details: dict[str, Any], key: OrderKey = KEY) -> Order:
    return tracked(report(Status.ACCEPTED, key=key, **details)).order


def is_found(query: str, indexing: Indexing = GERMAN, **details: Any) -> bool:
    words = indexed_words(order(details or DETAILS), indexing).all
    readings = (*readings_of(query), *phone_readings(query, countries=["DE"]))
    return any(has_all_words(reading, words) for reading in readings)


@pytest.mark.parametrize(
    ("field", "queries"),
    [
        ("name", ["mueller jürg", "Jurgen Muller", "lüdenscheid", "MÜLLER-LÜD", "dr jürgen"]),
        ("business", ["bäck", "baeckerei gross", "sohne groß", "Soehne"]),
        ("street", ["Hauptstraße 7a", "hauptstr", "haupt 7", "HAUPTSTRASSE", "Große Hauptstr.7a"]),
        ("place", ["10115", "101 frank", "Frankfurt (Oder)", "oder"]),
        ("email", ["juergen.mueller@posteo.example", "mueller@post", "posteo"]),
        (
            "phone",
            ["0301234567", "+49 30 123", "0049 (0)30/1234567", "30 12345", "(030) 123 45 67"],
        ),
        ("order_id", ["ord-2044-77", "ORD2044", "2044-77", "ord 2044 77"]),
        ("item_id", ["item-5e81", "5e81"]),
        ("reference", ["pp-2026", "90012", "2026-900", "PP 2026 90012"]),
        ("customer_number", ["K-2044", "204417", "k 204417"]),
        ("account_number", ["ac99", "AC 99 10", "1023"]),
        ("meter_number", ["1EMH001234567", "1 emh00", "EMH00 1234567", "1234567"]),
        ("malo", ["51238696781", "5123 8696 781", "512386"]),
        ("melo", ["DE00056266802", "DE 00056 266802 0000"]),
        ("spn", ["80012377", "800-123", "123-77"]),
        ("serial_number", ["zap-0042", "ZAP0042X", "0042-x"]),
        ("invoice_number", ["RE/2026/0815", "re-2026-08", "0815", "in_2"]),
    ],
)
def test_each_field_finds_the_order_in_every_spelling_unless_it_is_left_out(
    field: str, queries: list[str]
) -> None:
    alone = Indexing(fields=frozenset({field}), country="DE")
    assert [query for query in queries if not is_found(query, alone)] == []
    others = Indexing(fields=frozenset(SEARCH_FIELDS) - {field}, country="DE")
    kept = set(indexed_words(order(DETAILS), others).all)
    gone = set(indexed_words(order(DETAILS), alone).all)
    assert gone - kept


@pytest.mark.parametrize(
    "query",
    ["üller", "mueller weber", "haupt 6", "10116", "0301234568", "0012", "example", "90013"],
)
def test_and_nothing_else_does(query: str) -> None:
    assert not is_found(query)


@pytest.mark.parametrize(
    ("query", "street"),
    [
        ("12 queen street", "12 Queen St."),
        ("queen st", "12 Queen Street"),
        ("old road", "5 Old Rd"),
        ("old rd", "5 Old Road"),
        ("Nørregade 3", "Nørreg. 3"),
        ("Norregade", "Nørregade 3"),
        ("Vestervej", "Vesterv. 12"),
        ("strasse des 17", "Str. des 17. Juni 135"),
        ("straße des 17. juni 135", "Strasse des 17. Juni 135"),
        ("Am Alten Markt 5", "Am Alten Markt 5"),
        ("Burggraben", "Am Burggraben 5"),
    ],
)
def test_streets_are_found_abbreviated_and_written_out(query: str, street: str) -> None:
    assert is_found(query, address={"street": street})


@pytest.mark.parametrize("country", ["DK", "GB", "AT", "US", "AU", None])
@pytest.mark.parametrize("phone", ["+45 20 12 34 56", "0045 20123456"])
def test_a_phone_number_is_of_the_connection_s_country_unless_it_names_one(
    phone: str, country: str | None
) -> None:
    there = indexed_words(order({"customer": {"phone": phone}}), Indexing(country=country))
    assert {"4520123456", "20123456"} <= set(there.entries)


def test_a_house_number_tells_orders_apart_and_finds_none_alone() -> None:
    words = indexed_words(order({"address": {"street": "Hauptstr. 7a"}}), GERMAN)
    assert "hauptstrasse 7a" in words.entries
    assert words.others == ("7a",)


def test_an_order_without_facts_is_found_by_its_ids() -> None:
    bare = indexed_words(order({}), GERMAN)
    assert bare.entries == ("204477", "5e81", "item5e81", "ord204477")
    same = OrderKey("subs", "550e8400-e29b-41d4-a716-446655440000", "1")
    assert indexed_words(order({}, same), GERMAN).entries == ("550e8400e29b41d4a716446655440000",)


def test_no_order_has_more_entries_than_are_written_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    long = " ".join(f"Wort{number}-Teil{number}-Ende{number}" for number in range(60))
    many = {"name": long, "business": long, "email": f"{long}@x.de".replace(" ", ".")}
    invoices = [{"number": f"RE-{number}-2026"} for number in range(90)]
    words = indexed_words(order({"customer": many, "invoices": invoices}), GERMAN)
    assert len(words.entries) <= MOST_ENTRIES
    assert max(map(len, words.entries)) <= 60
    monkeypatch.setattr("milepost.queries.indexed_words.MOST_ENTRIES", 9)
    fewer = indexed_words(order({"customer": many, "invoices": invoices}), GERMAN).entries
    assert len(fewer) == 9
    assert "ord204477" in fewer


def test_the_mark_tells_words_apart() -> None:
    one = indexed_words(order({"address": {"street": "Hauptstr. 7"}}), GERMAN)
    other = indexed_words(order({"address": {"street": "Hauptstr. 9"}}), GERMAN)
    again = indexed_words(order({"address": {"street": "Hauptstraße 7"}}), GERMAN)
    assert one.mark == again.mark != other.mark
