"""The figures and what orders are found by, as they are written together, on every engine."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from milepost.aws.dynamodb_items import to_item
from milepost.common.status import Status
from milepost.orders.order import OrderKey
from milepost.orders.report import Report
from milepost.orders.search_terms import customer_id_of_email
from milepost.queries.aws import projector
from milepost.queries.aws.figures import FiguresTable
from milepost.queries.aws.projector import FiguresBusy, MeasuredOrders
from milepost.queries.aws.search import SearchTable
from milepost.queries.histogram import sum_by_raw_status, sum_by_stage
from milepost.queries.indexed_words import Indexing, indexed_words
from milepost.queries.stage_durations import Change
from tests.builders import KEY, OFFERGRID, RABOT, RULES, report
from tests.contracts.conftest import open_engine
from tests.stack import create_table
from tests.stream import Figures, Stream, split

OTHER = OrderKey(RABOT.id, "V-1009417", "V-1009417")
BOTH = (OFFERGRID.id, RABOT.id)
EMAIL = "lena.hoffmann@example.de"
LENA = {"name": "Lena", "email": EMAIL}
MONTHS = ("2026-03", "2026-04")
DAY = 60 * 24


@dataclass
class Tables:
    """Both tables, empty, and everything that works on them."""

    client: Any
    figures_name: str
    search_name: str
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.measured = self.measurer(self.client)
        self.figures = FiguresTable(self.client, table_name=self.figures_name)
        self.search = SearchTable(self.client, table_name=self.search_name)

    def measurer(self, client: Any) -> MeasuredOrders:
        return MeasuredOrders(
            client,
            figures_table=self.figures_name,
            search_table=self.search_name,
            wait=self.waits.append,
        )

    def texts(self) -> str:
        """Everything that is kept, as one text."""
        return "".join(map(self.text_of, self.names))

    def text_of(self, table: str) -> str:
        """Everything that a table keeps."""
        return str(self.client.scan(TableName=table)["Items"])

    @property
    def names(self) -> tuple[str, str]:
        return self.figures_name, self.search_name


def make_tables(client: Any) -> Tables:
    suffix = uuid4().hex[:8]
    names = [
        create_table(client, name, name=f"{name}-{suffix}")
        for name in ("FiguresTable", "SearchTable")
    ]
    return Tables(client, *names)


@pytest.fixture
def tables(dynamodb: Any) -> Tables:
    return make_tables(dynamodb)


def life(*reports: Report) -> list[Change]:
    stream = Stream(RULES)
    for one in reports:
        stream.report(one)
    return stream.changes


def as_of(version: int, change: Change) -> Change:
    after = replace(change.after, version=version, sequence=f"{version:040d}")
    return replace(change, after=after)


def ordinary_life(key: OrderKey = KEY, **details: Any) -> list[Change]:
    steps = (Status.PENDING, Status.ACCEPTED, Status.SCHEDULED, Status.COMPLETED)
    return life(
        *(
            report(step, place * 3 * DAY, key=key, service_type="internet", **details)
            for place, step in enumerate(steps)
        )
    )


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
