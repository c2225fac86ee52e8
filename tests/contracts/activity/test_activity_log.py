"""ActivityTable: entries by day, person, order and kind; a completed one stays as it is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from milepost.activity.aws.log import ActivityTable
from milepost.activity.entry import Actor, Entry, Outcome, Place, Via, Wanted
from tests.builders import KEY, NOON
from tests.contracts import conftest
from tests.fakes.requests import MemoryActivity

TABLE = "ActivityTable"
DAYS = 40


@pytest.fixture
def log(place: conftest.Place) -> Any:
    if place.is_memory:
        return MemoryActivity()
    return ActivityTable(place.client, table_name=place.table)


def entry(number: int, **changed: Any) -> Entry:
    made = Entry(
        id=f"{number:032x}",
        at=NOON - timedelta(hours=number),
        actor=Actor(person="lena", subject="s"),
        kind="perform_action",
        via=Via.API,
        targets={"order": KEY.path_id},
        connections=frozenset({KEY.connection}),
    )
    return replace(made, **changed)


def wanted(**filters: Any) -> Wanted:
    first = (NOON - timedelta(days=DAYS)).date()
    return Wanted(first_day=first, last_day=NOON.date(), **filters)


def all_of(log: Any, question: Wanted, *, limit: int) -> list[Entry]:
    found: list[Entry] = []
    place: Place | None = None
    while True:
        page, place = log.find(question, after=place, limit=limit)
        found += page
        assert len(page) <= limit
        if place is None:
            return found


def test_what_was_completed_is_found_whole(log: Any) -> None:
    begun = entry(1, address="192.0.2.7")
    log.start(begun)
    done = replace(
        begun,
        outcome=Outcome.DONE,
        status=200,
        arguments={"force": True, "to": None},
        before={"mode": "daily", "share": 0.5},
        after={"mode": "now", "kinds": ["a"]},
    )
    log.complete(done)
    log.complete(done)
    assert all_of(log, wanted(), limit=10) == [done]


def test_a_completed_entry_is_not_changed(log: Any) -> None:
    log.start(entry(1))
    log.complete(entry(1, outcome=Outcome.DONE))
    for change in (
        lambda: log.start(entry(1)),
        lambda: log.complete(entry(1, outcome=Outcome.REFUSED)),
    ):
        with pytest.raises(Exception, match="ConditionalCheckFailed"):
            change()


@pytest.mark.parametrize("limit", [1, 3, 100])
@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({}, [0, 1, 2, 30, 31, 800]),
        ({"person": "tom"}, [1, 31]),
        ({"order": KEY.path_id}, [0, 1, 2, 30, 800]),
        ({"kind": "erase_customer"}, [31]),
        ({"person": "tom", "kind": "erase_customer"}, [31]),
        ({"outcome": Outcome.DONE}, [2]),
        ({"connections": frozenset({KEY.connection})}, [0, 1, 2, 30, 800]),
        ({"connections": frozenset({"another"})}, []),
    ],
)
def test_every_filter_finds_its_entries_page_by_page(
    filters: dict[str, Any], numbers: list[int], limit: int, log: Any
) -> None:
    tom = Actor(person="tom", subject="t")
    kept = {
        0: entry(0),
        1: entry(1, actor=tom),
        2: entry(2, outcome=Outcome.DONE),
        30: entry(30),
        31: entry(31, actor=tom, kind="erase_customer", targets={}, connections=frozenset()),
        800: entry(800),
        1200: entry(1200),
    }
    for one in kept.values():
        log.start(one)
    found = all_of(log, wanted(**filters), limit=limit)
    assert found == [kept[number] for number in numbers]


def test_entries_of_one_instant_are_all_found(log: Any) -> None:
    made = [entry(number, at=NOON) for number in range(7)]
    for one in made:
        log.start(one)
    assert all_of(log, wanted(), limit=2) == made[::-1]


def test_an_entry_expires_after_the_days_that_are_set(dynamodb: Any, table: str) -> None:
    ActivityTable(dynamodb, table_name=table, days_kept=30).start(entry(0))
    (item,) = dynamodb.scan(TableName=table)["Items"]
    assert int(item["expires_at"]["N"]) == int((NOON + timedelta(days=30)).timestamp())
