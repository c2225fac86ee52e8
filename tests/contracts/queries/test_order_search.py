"""By which words and customers orders are found, on every engine."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from milepost.aws.dynamodb_items import to_item
from milepost.common.status import Status
from milepost.orders.search_terms import customer_id_of_email, name_key, phone_ids
from milepost.queries.indexed_words import Indexing, indexed_words
from tests.builders import KEY, RABOT, RULES, report
from tests.contracts.queries.figures_tables import (
    BOTH,
    EMAIL,
    LENA,
    OTHER,
    Tables,
    life,
    make_tables,
    ordinary_life,
)
from tests.stream import Stream


@pytest.fixture
def tables(dynamodb: Any) -> Tables:
    return make_tables(dynamodb)


def test_a_customer_s_orders_are_found_by_email_at_every_connection(tables: Tables) -> None:
    tables.measured.take([*ordinary_life(customer=LENA), *ordinary_life(OTHER, customer=LENA)])
    assert tables.search.find_by_email(" Lena.Hoffmann@example.de") == [KEY, OTHER]
    assert tables.search.orders_of_customer(customer_id_of_email(EMAIL)) == [KEY, OTHER]
    assert tables.search.find_by_email("lena@example.de") == []


@pytest.mark.parametrize("typed", ["lena@müller.de", "LENA@xn--mller-kva.de"])
def test_an_order_is_found_by_email_in_every_spelling_also_if_an_earlier_version_kept_it(
    typed: str, tables: Tables
) -> None:
    spelled = {**LENA, "email": "Lena@mu\u0308ller.de"}
    tables.measured.take(ordinary_life(customer=spelled))
    digest = hashlib.sha256("email\nlena@müller.de".encode()).hexdigest()[:16]
    item = {"pk": f"customer#{digest}", "sk": str(OTHER), "order": str(OTHER)}
    tables.client.put_item(TableName=tables.search_name, Item=to_item(item))
    assert tables.search.find_by_email(typed) == [KEY, OTHER]


@pytest.mark.parametrize("text", ["PP-20417", "pp", "204", " 20417 "])
def test_an_order_is_found_by_the_start_of_a_word_of_its_reference(
    text: str, tables: Tables
) -> None:
    tables.measured.take(ordinary_life(reference="PP-20417"))
    assert tables.search.find_by_reference(text, connections=BOTH) == [KEY]
    assert tables.search.find_by_reference(text, connections=[RABOT.id]) == []


@pytest.mark.parametrize("text", ["", "  ", "0417", "P-2", "%", "#"])
def test_other_texts_find_nothing(text: str, tables: Tables) -> None:
    tables.measured.take(ordinary_life(reference="PP-20417"))
    assert tables.search.find_by_reference(text, connections=BOTH) == []


def test_a_search_gives_no_more_than_its_limit(tables: Tables) -> None:
    keys = [replace(KEY, item_id=f"item-{number:02}") for number in range(12)]
    tables.measured.take(c for key in keys for c in ordinary_life(key, reference="PP PP"))
    found = tables.search.find_by_reference("pp", connections=BOTH, limit=5)
    assert found == keys[:5]


def test_what_no_longer_holds_is_no_longer_found(tables: Tables) -> None:
    other = {"email": "somebody@example.de"}
    first, second = life(
        report(Status.PENDING, 0, reference="PP-20417", customer=LENA),
        report(Status.PENDING, 1, reference="PP-20418", customer=other),
    )
    tables.measured.take([first])
    tables.measured.take([second])
    tables.measured.take([first])
    assert tables.search.find_by_email(EMAIL) == []
    assert tables.search.find_by_email(other["email"]) == [KEY]
    assert tables.search.find_by_reference("20417", connections=BOTH) == []
    assert tables.search.find_by_reference("20418", connections=BOTH) == [KEY]


def test_an_order_that_is_forgotten_is_the_only_one_that_is(tables: Tables) -> None:
    tables.measured.take([*ordinary_life(customer=LENA), *ordinary_life(OTHER, customer=LENA)])
    for _ in range(2):
        tables.search.forget(customer_id_of_email(EMAIL), KEY)
        assert tables.search.find_by_email(EMAIL) == [OTHER]


def test_an_erasure_finds_an_order_by_the_customer_that_it_had_before(tables: Tables) -> None:
    other = {"email": "somebody@example.de"}
    changes = life(
        report(Status.PENDING, 0, customer=LENA), report(Status.PENDING, 1, customer=other)
    )
    for change in changes:
        tables.measured.take([change])
    assert tables.search.find_by_email(EMAIL) == []
    assert tables.search.orders_of_customer(customer_id_of_email(EMAIL)) == [KEY]
    back = life(
        report(Status.PENDING, 0, customer=LENA),
        report(Status.PENDING, 1, customer=other),
        report(Status.PENDING, 2, customer=LENA),
    )
    tables.measured.take(back[2:])
    assert tables.search.find_by_email(EMAIL) == [KEY]
    assert tables.search.find_by_email(other["email"]) == []


def test_an_order_of_a_phone_number_is_found_by_it_whatever_the_names_that_it_had(
    tables: Tables,
) -> None:
    names = ("Lisa", "Lisa Berg", "Karl Berg", "Lisa Berg")
    changes = life(
        *(
            report(Status.PENDING, minute, customer={"name": name, "phone": "0301234567"})
            for minute, name in enumerate(names)
        )
    )
    for change in changes:
        tables.measured.take([change])
    for name in ("", *names):
        (asked,) = phone_ids("0301234567", name=name_key({"name": name}))[:1]
        assert tables.search.orders_of_customer(asked) == [KEY]
    tables.search.forget(asked, KEY)
    assert tables.search.orders_of_customer(asked) == []


def test_figures_hold_no_personal_data_and_the_index_holds_it_until_the_order_goes(
    tables: Tables,
) -> None:
    who = {"name": "Lena Hoffmann", "email": EMAIL, "phone": "+49301234", "number": "K-2044"}
    place = {"street": "Lindenstraße"}
    stream = Stream(RULES, words_of=lambda order: indexed_words(order, Indexing(country="DE")))
    stream.report(report(Status.ACCEPTED, 0, customer=who, address=place, reference="PP-20417"))
    tables.measured.take(stream.changes)
    personal = ("hoffmann", "lena", "1234", "k2044", "linden")
    counted, index = (tables.text_of(one).casefold() for one in tables.names)
    assert "20417" in index
    assert [one for one in personal if one in counted] == []
    assert [one for one in personal if one not in index] == []

    stream.remove(KEY)
    tables.measured.take(stream.changes[-1:])
    assert [one for one in personal if one in tables.texts().casefold()] == []
