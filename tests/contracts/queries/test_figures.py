"""The figures and what orders are found by, as they are written together, on every engine."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from milepost.common.status import Status
from milepost.queries.aws import projector
from milepost.queries.aws.figures import FiguresTable
from milepost.queries.aws.projector import FiguresBusy
from milepost.queries.histogram import sum_by_raw_status, sum_by_stage
from milepost.queries.stage_durations import Change
from tests.builders import KEY, OFFERGRID, RABOT, RULES, report
from tests.contracts.conftest import open_engine
from tests.contracts.queries.figures_tables import (
    BOTH,
    DAY,
    EMAIL,
    LENA,
    OTHER,
    Tables,
    life,
    make_tables,
    ordinary_life,
)
from tests.stream import Figures, Stream, split

MONTHS = ("2026-03", "2026-04")


@pytest.fixture
def tables(dynamodb: Any) -> Tables:
    return make_tables(dynamodb)


def as_of(version: int, change: Change) -> Change:
    after = replace(change.after, version=version, sequence=f"{version:040d}")
    return replace(change, after=after)


def test_where_nothing_was_counted_there_are_no_figures(tables: Tables) -> None:
    assert tables.figures.counts(BOTH) == {OFFERGRID.id: {}, RABOT.id: {}}
    assert tables.figures.stages(BOTH, months=MONTHS) == []
    assert tables.figures.stages(BOTH, months=[]) == []


def test_an_order_is_counted_where_it_stands(tables: Tables) -> None:
    tables.measured.take(life(report(Status.PENDING, 0), report(Status.ACCEPTED, 5)))
    assert tables.figures.counts(BOTH) == {OFFERGRID.id: {Status.ACCEPTED: 1}, RABOT.id: {}}


def test_counts_that_are_kept_are_read_again_when_they_are_too_old(tables: Tables) -> None:
    now = [0.0]
    kept = FiguresTable(
        tables.client, table_name=tables.figures_name, counts_kept=60, clock=lambda: now[0]
    )
    assert kept.counts([KEY.connection]) == {KEY.connection: {}}
    tables.measured.take(life(report(Status.ACCEPTED, 5)))
    now[0] = 59.0
    assert kept.counts(BOTH) == {OFFERGRID.id: {}, RABOT.id: {}}
    now[0] = 61.0
    assert kept.counts(BOTH) == {OFFERGRID.id: {Status.ACCEPTED: 1}, RABOT.id: {}}


def test_what_comes_again_is_counted_once(tables: Tables) -> None:
    for _ in range(2):
        for change in ordinary_life():
            tables.measured.take([change])
    assert tables.figures.counts([KEY.connection]) == {KEY.connection: {Status.COMPLETED: 1}}
    found = tables.figures.stages([KEY.connection], months=["2026-03"])
    assert [(one.stage, one.count, one.mean) for one in found] == [
        (Status.PENDING, 1, 3 * 86400),
        (Status.ACCEPTED, 1, 3 * 86400),
        (Status.SCHEDULED, 1, 3 * 86400),
    ]


def test_only_the_months_that_are_asked_for_count(tables: Tables) -> None:
    steps = (Status.PENDING, Status.SUBMITTED, Status.ACCEPTED, Status.SCHEDULED)
    tables.measured.take(
        life(*(report(step, place * 31 * DAY) for place, step in enumerate(steps)))
    )
    two_of_three = tables.figures.stages([KEY.connection], months=["2026-04", "2026-06"])
    assert [one.stage for one in two_of_three] == [Status.PENDING, Status.ACCEPTED]


@pytest.mark.parametrize("service_type", ["", "a#b / c", "ü" * 40, "~"])
def test_a_service_type_comes_back_whatever_it_is_called(service_type: str, tables: Tables) -> None:
    reports = (report(s, at, service_type=service_type) for at, s in enumerate(Status) if at)
    tables.measured.take(life(*reports))
    found = tables.figures.stages([KEY.connection], months=["2026-03"])
    assert {one.service_type for one in found} == {service_type}


def test_an_erased_order_leaves_counts_and_search_but_not_the_stage_times(tables: Tables) -> None:
    stream = Stream(RULES)
    stream.report(report(Status.PENDING, 0, reference="PP-20417", customer=LENA))
    stream.report(report(Status.ACCEPTED, 60))
    stream.erase(KEY)
    tables.measured.take(stream.changes[:2])
    tables.measured.take(stream.changes[2:])
    assert tables.figures.counts([KEY.connection]) == {KEY.connection: {}}
    assert len(tables.figures.stages([KEY.connection], months=["2026-03"])) == 1
    assert tables.search.find_by_email(EMAIL) == []
    assert tables.search.find_by_reference("pp", connections=[KEY.connection]) == []


@pytest.mark.thorough
def test_many_orders_are_counted_at_once(tables: Tables) -> None:
    keys = [replace(KEY, order_id=f"ord-{number}") for number in range(60)]
    tables.measured.take(c for key in keys for c in ordinary_life(key, reference="A-1 B-2"))
    counts = tables.figures.counts([KEY.connection])
    assert counts == {KEY.connection: {Status.COMPLETED: 60}}
    assert len(tables.search.find_by_reference("b-2", connections=BOTH)) == 60


def test_who_was_overtaken_counts_the_rest(tables: Tables, monkeypatch: Any) -> None:
    """Between reading what is counted and writing it, another worker counts the same order."""
    changes = ordinary_life(reference="PP-20417", customer=LENA)
    other, overtake = tables.measurer(tables.client), [changes[:2]]
    read = FiguresTable.counted

    def read_and_be_overtaken(self: FiguresTable, keys: Any) -> Any:
        found = read(self, keys)
        if overtake:
            other.take(overtake.pop())
        return found

    monkeypatch.setattr(FiguresTable, "counted", read_and_be_overtaken)
    tables.measured.take(changes)
    assert len(tables.waits) == 1
    assert tables.figures.counts([KEY.connection]) == {KEY.connection: {Status.COMPLETED: 1}}
    found = tables.figures.stages([KEY.connection], months=["2026-03"])
    assert [one.count for one in found] == [1, 1, 1]


@pytest.mark.thorough
def test_who_is_overtaken_at_every_try_says_so(tables: Tables, monkeypatch: Any) -> None:
    read, number = FiguresTable.counted, iter(range(1000))
    other = tables.measurer(tables.client)

    def read_and_be_overtaken(self: FiguresTable, keys: Any) -> Any:
        found = read(self, keys)
        if self is not other._figures:
            statuses = [Status.ACCEPTED, Status.PENDING]
            step = next(number)
            change = life(report(statuses[step % 2]))[0]
            other.take([as_of(step + 1, change)])
        return found

    monkeypatch.setattr(FiguresTable, "counted", read_and_be_overtaken)
    change = as_of(999, life(report(Status.COMPLETED))[0])
    with pytest.raises(FiguresBusy):
        tables.measured.take([change])
    assert len(tables.waits) == projector.MOST_TRIES
    assert tables.figures.counts([KEY.connection])[KEY.connection].get(Status.COMPLETED) is None


@pytest.fixture
def shared(request: pytest.FixtureRequest, ministack: str) -> Iterator[Callable[[], Tables]]:
    """Tables for many threads; moto holds no lock over a transaction, so not there."""
    with open_engine("ministack", request) as client:
        yield lambda: make_tables(client)


@pytest.mark.thorough
def test_workers_that_get_the_same_changes_at_once_count_each_once(
    shared: Callable[[], Tables],
) -> None:
    tables = shared()
    keys = [replace(KEY, order_id=f"ord-{number}") for number in range(5)]
    changes = [change for key in keys for change in ordinary_life(key)]
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda _: tables.measured.take(changes), range(4)))
    assert tables.figures.counts([KEY.connection]) == {KEY.connection: {Status.COMPLETED: 5}}
    found = tables.figures.stages([KEY.connection], months=["2026-03"])
    assert [one.count for one in found] == [5, 5, 5]


@pytest.mark.thorough
@given(data=st.data())
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_tables_say_what_the_figures_in_memory_say(data: st.DataObject, dynamodb: Any) -> None:
    tables, memory, stream = make_tables(dynamodb), Figures(), Stream(RULES)
    keys = [KEY, OTHER, replace(KEY, item_id="item-2")]
    for _ in range(data.draw(st.integers(1, 12))):
        key = data.draw(st.sampled_from(keys))
        status = data.draw(st.sampled_from([*Status][1:]))
        raw = data.draw(st.sampled_from([None, "Contract Generated", "a#b / ü", "~"]))
        stream.report(report(status, data.draw(st.integers(0, 50 * DAY)), key=key, raw=raw))
        if data.draw(st.integers(0, 9)) == 0:
            stream.erase(key)
    shuffled = data.draw(st.permutations(stream.changes))
    for batch in split(shuffled, data.draw(st.lists(st.integers(1, 5), max_size=4))):
        tables.measured.take(batch)
        memory.take(batch)
    in_memory = [(key, tally) for key, tally in memory.stages.items() if key.month in MONTHS]
    assert tables.figures.stages(BOTH, months=MONTHS) == sum_by_stage(in_memory)
    told_apart = tables.figures.stages_by_raw_status(BOTH, months=MONTHS)
    assert told_apart == sum_by_raw_status(in_memory)
    counted = tables.figures.counts(BOTH)
    assert {(c, s): n for c, of_it in counted.items() for s, n in of_it.items()} == dict(
        +memory.statuses
    )
    assert tables.figures.outcomes(BOTH, months=MONTHS) == {
        key: number for key, number in (+memory.outcomes).items() if key.month in MONTHS
    }


def test_outcomes_and_acceptances_come_back_exactly(tables: Tables) -> None:
    for number, malo in enumerate((None, "51238696781")):
        key = replace(OTHER, order_id=f"V-{number}", item_id=f"V-{number}")
        facts = {"service_type": "a#b/ü", **({"malo": malo} if malo else {})}
        pending = report(Status.PENDING, 0, key=key, **facts)
        for _ in range(2):
            tables.measured.take(life(pending, report(Status.ACCEPTED, DAY, key=key)))
    rejected = report(Status.REJECTED, 60, service_type="a#b/ü", reason="Insolvenz")
    tables.measured.take(life(rejected))
    ((key, number),) = tables.figures.outcomes(BOTH, months=MONTHS).items()
    assert (key.connection, key.service_type, key.cause, number) == (
        KEY.connection,
        "a#b/ü",
        "credit_check",
        1,
    )
    assert tables.figures.outcomes(BOTH, months=["2026-04"]) == {}
    found = tables.figures.acceptances(BOTH, months=MONTHS)
    assert [(one.identifiers, one.count, one.mean, one.faster) for one in found] == [
        ("malo", 1, 86400, 0.0),
        ("neither", 1, 86400, None),
    ]
    assert tables.figures.acceptances(BOTH, months=[]) == []


MILESTONES = (
    (Status.PENDING, "Application Fee Generated"),
    (Status.SUBMITTED, "Inspection Initiated"),
    (Status.ACCEPTED, "Contract Generated"),
    (Status.ACCEPTED, "Connection Fee Generated"),
    (Status.IN_PROGRESS, "Installation Initiated"),
    (Status.COMPLETED, "Completed"),
)


def test_milestones_of_one_status_are_measured_apart_and_together(tables: Tables) -> None:
    changes = life(*(report(step, at * DAY, raw=raw) for at, (step, raw) in enumerate(MILESTONES)))
    for change in [*changes, changes[2], changes[-1]]:
        tables.measured.take([change])
    found = tables.figures.stages_by_raw_status([KEY.connection], months=["2026-03"])
    assert [(one.stage, one.raw_status, one.count, one.mean) for one in found] == [
        (Status.PENDING, "Application Fee Generated", 1, 86400),
        (Status.SUBMITTED, "Inspection Initiated", 1, 86400),
        (Status.ACCEPTED, "Connection Fee Generated", 1, 86400),
        (Status.ACCEPTED, "Contract Generated", 1, 86400),
        (Status.IN_PROGRESS, "Installation Initiated", 1, 86400),
    ]
    together = tables.figures.stages([KEY.connection], months=["2026-03"])
    assert [(one.stage, one.mean / 86400) for one in together] == [
        (Status.PENDING, 1),
        (Status.SUBMITTED, 1),
        (Status.ACCEPTED, 2),
        (Status.IN_PROGRESS, 1),
    ]


def updated_items(tables: Tables, changes: list[Change]) -> list[int]:
    """How many figures each of these changes updated."""
    seen: list[int] = []
    tables.client.meta.events.register(
        "provide-client-params.dynamodb.TransactWriteItems",
        lambda params, **_: seen.append(sum("Update" in one for one in params["TransactItems"])),
    )
    for change in changes:
        tables.measured.take([change])
    return seen


def test_raw_statuses_cost_writes_only_where_a_status_has_several(tables: Tables) -> None:
    same_words = [report(step, at * DAY) for at, (step, _) in enumerate(MILESTONES) if at != 3]
    other_words = [
        report(step, at * DAY, key=OTHER, raw=raw)
        for at, (step, raw) in enumerate(MILESTONES)
        if at != 3
    ]
    # Counts, from the second on a stage, and once how long it took to be accepted.
    an_update_a_step = [1, 2, 3, 2, 2]
    assert updated_items(tables, life(*same_words)) == an_update_a_step
    assert updated_items(tables, life(*other_words)) == an_update_a_step


def test_a_year_of_a_connection_is_one_read(tables: Tables) -> None:
    tables.measured.take(ordinary_life())
    asked: list[Any] = []
    tables.client.meta.events.register(
        "before-call.dynamodb", lambda model, **_: asked.append(model.name)
    )
    months = [f"2026-{month:02}" for month in range(1, 13)]
    assert tables.figures.stages([KEY.connection], months=months)
    assert asked == ["Query"]
