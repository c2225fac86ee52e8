"""Finding orders by words: as they are written with the figures, and at a bounded cost."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest

from milepost.aws.dynamodb_items import to_item
from milepost.common.status import Status
from milepost.orders.order import Order, OrderKey
from milepost.queries.aws import projector, word_search
from milepost.queries.aws.figures import counted_item
from milepost.queries.aws.projector import MeasuredOrders
from milepost.queries.aws.search import SearchTable
from milepost.queries.aws.search_keys import word_key
from milepost.queries.aws.word_entries import list_item, read_lists
from milepost.queries.indexed_words import IndexedWords, Indexing, indexed_words
from milepost.queries.order_finder import MOST_FOUND
from milepost.queries.search_words import readings_of
from milepost.queries.stage_durations import NO_WORDS, Change, change_of
from tests.builders import KEY, OFFERGRID, RABOT, RULES, report
from tests.stack import create_table
from tests.stream import Stream, split

BOTH = (OFFERGRID.id, RABOT.id)
GERMAN = Indexing(country="DE")


def words_of(order: Order) -> IndexedWords:
    return indexed_words(order, GERMAN)


@dataclass
class Table:
    """Both tables, empty, and what works on them."""

    client: Any
    figures: str
    name: str

    def take(self, changes: Iterable[Change]) -> None:
        MeasuredOrders(
            self.client, figures_table=self.figures, search_table=self.name, wait=lambda _: None
        ).take(changes)

    def put(self, changes: Iterable[Change]) -> None:
        """Write what ``take`` would, for many orders: moto copies all tables for a transaction."""
        for one in changes:
            words = one.after.words or NO_WORDS
            items = [list_item(words, one.key), *(word_key(e, one.key) for e in words.entries)]
            for item in items:
                self.client.put_item(TableName=self.name, Item=to_item(item))

    def find(self, query: str, *connections: str) -> tuple[set[OrderKey], bool]:
        search = SearchTable(self.client, table_name=self.name)
        found = search.find_by_words(readings_of(query), connections=connections or BOTH)
        assert len(set(found.keys)) == len(found.keys)
        return set(found.keys), found.more

    def entries(self) -> set[tuple[str, str]]:
        """The keys of all entries and lists."""
        items = self.client.get_paginator("scan").paginate(TableName=self.name)
        keys = {(one["pk"]["S"], one["sk"]["S"]) for page in items for one in page["Items"]}
        return {key for key in keys if key[0].startswith(("word#", "order#"))}


@pytest.fixture
def table(dynamodb: Any) -> Table:
    suffix = uuid4().hex[:8]
    names = [
        create_table(dynamodb, n, name=f"{n}-{suffix}") for n in ("FiguresTable", "SearchTable")
    ]
    return Table(dynamodb, *names)


def of(number: int, name: str, *, connection: str = OFFERGRID.id, **details: Any) -> Change:
    """A new order of somebody."""
    key = OrderKey(connection, f"ord-{number:05d}", "i")
    stream = Stream(RULES, words_of=words_of)
    stream.report(report(Status.PENDING, key=key, customer={"name": name}, **details))
    return stream.changes[0]


def keys(*changes: Change) -> set[OrderKey]:
    return {one.key for one in changes}


def test_all_words_have_to_be_of_one_order(table: Table) -> None:
    anna = of(1, "Anna Schmidt", address={"street": "Hauptstr. 7", "city": "Berlin"})
    ben = of(2, "Ben Schmidt", address={"street": "Hauptstr. 70", "city": "Bremen"})
    ida = of(3, "Ida Weber", connection=RABOT.id, address={"city": "Berlin"})
    table.take([anna, ben, ida])
    for query, found in {
        "schmidt": [anna, ben],
        "SCHM an": [anna],
        "berlin": [anna, ida],
        "berlin schmidt": [anna],
        "b schm": [anna, ben],
        "haupt 7": [anna, ben],
        "hauptstraße 70": [ben],
        "schmidt weber": [],
        "x": [],
        "…": [],
    }.items():
        assert table.find(query) == (keys(*found), False), query
    assert table.find("berlin", RABOT.id) == (keys(ida), False)
    assert table.find("berlin", "gone") == (set(), False)


def test_two_common_names_find_those_who_have_both(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many have one of them: the limits are small here instead of the numbers large."""
    many = [of(number, f"{name} Schmidt") for number, name in enumerate(["Ben"] * 20)]
    many += [of(100 + number, f"Anna {name}") for number, name in enumerate(["Weber"] * 20)]
    wanted = [of(number, "Anna Schmidt") for number in (999, 998)]
    table.put([*many, *wanted])
    monkeypatch.setattr(word_search, "FEW", 5)
    assert table.find("schmidt anna") == (keys(*wanted), False)
    monkeypatch.setattr(word_search, "MOST_READ", 10)
    assert table.find("schmidt anna") == (keys(*wanted), True)
    assert table.find("anna schm ord-00998") == (keys(wanted[1]), False)
    monkeypatch.setattr(word_search, "MOST_FOUND", 1)
    found, more = table.find("anna schmidt")
    assert (len(found), more) == (1, True)


def test_a_search_takes_as_many_requests_among_many_orders_as_among_few(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word_search, "FEW", 5)
    monkeypatch.setattr(word_search, "MOST_READ", 10)
    calls: list[str] = []
    table.client.meta.events.register(
        "before-call.dynamodb", lambda model, **_: calls.append(model.name)
    )
    counts = []
    for first in (0, 100):
        table.put(of(first + number, "Anna Schmidt") for number in range(12 + first))
        calls.clear()
        table.find("anna schmidt")
        counts.append(len(calls))
    assert max(counts) < 20


def test_of_very_many_a_search_gives_the_first_and_says_that_there_are_more(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word_search, "MOST_FOUND", 10)
    table.put(of(number, "Anna") for number in range(12))
    found, more = table.find("anna")
    assert (len(found), more) == (10, True)
    assert MOST_FOUND == 500


def life(*details: dict[str, Any], erase: bool = False) -> Stream:
    stream = Stream(RULES, words_of=words_of)
    for at, one in enumerate(details):
        stream.report(report([*Status][1 + at % 3], at, **one))
    if erase:
        stream.erase(KEY)
    return stream


LIVES: dict[str, Callable[[], Stream]] = {
    "another customer": lambda: life(
        {"customer": {"name": "Anna Müller", "email": "anna@example.de"}},
        {"meter_number": "1EMH0012345678"},
        {"customer": {"name": "Anna Weber", "email": "anna@example.de", "phone": "030 1234567"}},
        {"address": {"street": "Hauptstr. 7", "city": "Berlin"}},
    ),
    "erased": lambda: life(
        {"customer": {"name": "Anna Müller", "phone": "+49 30 1234567"}},
        {"meter_number": "1EMH0012345678", "malo": "51238696781"},
        erase=True,
    ),
}


@pytest.mark.parametrize("name", LIVES)
@pytest.mark.parametrize("seed", range(4))
def test_redelivery_and_late_records_leave_exactly_the_last_words(
    name: str, seed: int, table: Table
) -> None:
    stream, chance = LIVES[name](), random.Random(seed)
    changes = stream.changes
    for batch in split([*changes, *chance.sample(changes, len(changes))], [1, 2]):
        table.take(batch)
    for one in chance.choices(changes, k=6):
        table.take([one])
    now = changes[-1].after.words
    assert now is not None
    pks = {(k["pk"], k["sk"]) for k in (word_key(entry, KEY) for entry in now.entries)}
    assert table.entries() == pks | ({(f"order#{KEY}", "words")} if now.all else set())
    assert read_lists(table.client, table_name=table.name, keys=[KEY]) == (
        {KEY: now} if now.all else {}
    )


def test_a_removed_order_is_found_no_more(table: Table) -> None:
    stream = life({"customer": {"name": "Anna Müller"}})
    stream.remove(KEY)
    for change in stream.changes:
        table.take([change])
    assert table.entries() == set()


def test_more_words_than_fit_into_one_transaction_are_written_in_several(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector, "_MOST_ACTIONS", 12)
    many = {"name": " ".join(f"Wort{number}" for number in range(6)), "email": "a.b.c@d.example"}
    other = {"name": " ".join(f"Name{number}" for number in range(6)), "email": "w.x.y@z.example"}
    stream = life({"customer": many}, {"customer": other}, {"reference": "PP-1"}, erase=True)
    for number, change in enumerate(stream.changes):
        table.take([change])
        assert table.find("wort3")[0] == ({KEY} if number == 0 else set())
        assert table.find("name5 name2")[0] == ({KEY} if number in {1, 2} else set())
    assert table.entries() == set()


def test_orders_that_an_earlier_version_counted_are_found_after_a_backfill(table: Table) -> None:
    stream = life({"customer": {"name": "Anna Müller"}}, {"reference": "PP-1"})
    (tracked,) = stream.now.values()
    assert tracked is not None
    early = change_of(None, tracked, sequence="7")
    table.take([replace(early, after=replace(early.after, form=2, words_mark=None, words=None))])
    assert table.entries() == set()
    table.take([change_of(None, tracked, words_of=words_of)])
    assert table.find("müller")[0] == {KEY}
    fewer = Indexing(fields=frozenset({"reference"}))
    table.take([change_of(None, tracked, words_of=lambda order: indexed_words(order, fewer))])
    assert table.find("müller")[0] == set()
    assert table.find("pp-1")[0] == {KEY}


def test_what_an_earlier_version_wrote_in_between_leaves_no_entry(table: Table) -> None:
    """It knows nothing of words: what it counts says nothing of them, and their list is there."""
    stream = life({"customer": {"name": "Anna Müller"}}, {"reference": "PP-1"}, erase=True)
    first, _, erased = stream.changes
    table.take([first])
    counted = replace(erased.after, form=2, words_mark=None)
    item = to_item(counted_item(KEY, counted, writes=2))
    table.client.put_item(TableName=table.figures, Item=item)
    assert table.find("müller")[0] == {KEY}
    tombstone = stream.now[KEY]
    table.take([change_of(None, tombstone, words_of=words_of)])
    assert table.entries() == set()
