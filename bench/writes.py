"""Write units of an order's six steps, by webhook, by poll and with duplicates, as consumed."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from bench.engine import Meter, running_engine
from bench.events import STEPS, at_step, listed, webhook
from bench.figures import Figure
from milepost.common.timestamps import parse_instant
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import Order
from milepost.orders.recording import RecordOutcome, record
from milepost.orders.report import Report
from milepost.providers.offergrid import Offergrid
from milepost.queries.aws.projector import MeasuredOrders, read_change
from milepost.queries.indexed_words import IndexedWords, Indexing, indexed_words
from milepost.queries.stage_durations import NO_WORDS
from tests.builders import OFFERGRID
from tests.stack import create_table

GOAL: Final = 4
BATCH: Final = 100
FEW: Final = 10
"""Orders whose words are measured one change at a time."""
WORDS: Final = "write units of the words of an order, once"


@dataclass
class Tally:
    """The outcome of some reports, and the write units that it consumed."""

    meter: Meter
    outcomes: list[RecordOutcome] = field(default_factory=list)
    told: int = 0
    wasted: float = 0

    @property
    def transitions(self) -> int:
        return self.outcomes.count(RecordOutcome.TRANSITION)


def measure(*, quick: bool) -> list[Figure]:
    """A row for each way in which reports arrive, one for duplicates, and the consumption of the
    figures' tables.
    """
    del quick  # it takes seconds
    orders = BATCH
    with running_engine() as client:
        meter = Meter(client)
        figures = []
        for name, reports in (
            ("by webhook", by_webhook(orders)),
            ("by poll", by_poll(orders)),
            ("by webhook, every tenth twice", every_tenth_twice(by_webhook(orders))),
        ):
            tally, changes = run(client, meter, reports)
            figures.append(_per_transition(name, tally))
            if name == "by webhook":
                others = [*_others(client, meter, changes)]
            if name == "by poll":
                words = _words(client, meter, changes)
        return [*figures, _of_duplicates(tally), *others, words]


def by_webhook(orders: int) -> Iterator[Report]:
    """The reports of webhooks for this number of orders: one step of all orders, then the next
    step.
    """
    for step in range(len(STEPS)):
        for order in range(orders):
            event = json.loads(webhook(order, step))
            yield from Offergrid().read_event(
                event, connection=OFFERGRID, seen_at=parse_instant(at_step(step))
            )


def by_poll(orders: int) -> Iterator[Report]:
    """The reports that polls find of the same orders."""
    for step in range(len(STEPS)):
        for order in range(orders):
            yield from Offergrid().read_order(
                listed(order, step),
                connection=OFFERGRID,
                requested_at=parse_instant(at_step(step)),
            )


def every_tenth_twice(reports: Iterable[Report]) -> Iterator[Report]:
    """The same reports, with every tenth delivered twice."""
    for number, report in enumerate(reports):
        yield report
        if number % 10 == 0:
            yield report


def run(client: Any, meter: Meter, reports: Iterable[Report]) -> tuple[Tally, list[dict[str, Any]]]:
    """Record reports in an empty table; returns the consumed units, and the stream's records."""
    name = f"orders-{id(reports)}"
    create_table(client, "OrdersTable", name=name)
    orders = OrdersTable(client, table_name=name, connection=OFFERGRID)
    stream = Stream(client)
    meter.clear()
    tally = Tally(meter)
    for report in reports:
        before = meter.units["PutItem"]
        recorded = record(report, orders=orders, rules=Offergrid().rules, now=datetime.now(UTC))
        tally.outcomes.append(recorded.outcome)
        if recorded.outcome is RecordOutcome.DUPLICATE:
            tally.told += len(recorded.announced)
            tally.wasted += meter.units["PutItem"] - before
    stream.stop()
    return tally, stream.records


class Stream:
    """The records that a table's stream would have for the items that a client puts."""

    def __init__(self, client: Any) -> None:
        self.records: list[dict[str, Any]] = []
        self._images: dict[str, Any] = {}
        self._events = client.meta.events
        self._events.register("provide-client-params.dynamodb.PutItem", self._see)

    def stop(self) -> None:
        self._events.unregister("provide-client-params.dynamodb.PutItem", self._see)

    def _see(self, params: dict[str, Any], **_: Any) -> None:
        item = params["Item"]
        images = {"NewImage": item, "SequenceNumber": str(len(self.records) + 1)}
        if known := self._images.get(item["pk"]["S"]):
            images["OldImage"] = known
        self._images[item["pk"]["S"]] = item
        self.records.append({"dynamodb": images})


def _per_transition(name: str, tally: Tally) -> Figure:
    units = tally.meter.units["PutItem"]
    return Figure(
        what=f"write units per transition, {name}",
        measured=units / tally.transitions,
        goal=GOAL,
        note=f"{tally.transitions} transitions of {len(tally.outcomes)} reports, {units:g} units",
    )


def _of_duplicates(tally: Tally) -> Figure:
    count = tally.outcomes.count(RecordOutcome.DUPLICATE)
    return Figure(
        what="write units and announcements of duplicates",
        measured=tally.wasted + tally.told,
        goal=0,
        note=f"{count} duplicates",
    )


def _words(client: Any, meter: Meter, records: list[dict[str, Any]]) -> Figure:
    """Units of SearchTable for the words of an order, over all its steps.

    Polls find a customer's name and address, email, phone and reference.
    """
    orders = {record["dynamodb"]["NewImage"]["pk"]["S"] for record in records}
    few = sorted(orders)[:FEW]
    of_few = [one for one in records if one["dynamodb"]["NewImage"]["pk"]["S"] in few]
    units = {}
    for name, words_of in (("without", lambda _: NO_WORDS), ("with", _words_of)):
        measured = MeasuredOrders(
            client,
            figures_table=create_table(client, "FiguresTable", name=f"figures-{name}-words"),
            search_table=create_table(client, "SearchTable", name=f"search-{name}-words"),
        )
        meter.clear()
        for one in of_few:
            measured.take([read_change(one, words_of=words_of)])
        units[name] = meter.total("TransactWriteItems")
    return Figure(
        what=WORDS,
        measured=(units["with"] - units["without"]) / len(few),
        note="a customer's name, email and phone, address, reference, ids",
    )


def _words_of(order: Order) -> IndexedWords:
    return indexed_words(order, Indexing(country=OFFERGRID.country))


def _others(client: Any, meter: Meter, records: list[dict[str, Any]]) -> Iterator[Figure]:
    """Units of FiguresTable and SearchTable, for one change at a time and for many."""
    # Every change of a batch is of another order, as when many come at once.
    for batch in (1, BATCH):
        figures_table = create_table(client, "FiguresTable", name=f"figures-{batch}")
        search_table = create_table(client, "SearchTable", name=f"search-{batch}")
        measured = MeasuredOrders(client, figures_table=figures_table, search_table=search_table)
        meter.clear()
        for start in range(0, len(records), batch):
            measured.take(read_change(one) for one in records[start : start + batch])
        writes = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems")
        yield Figure(
            what=f"write units of figures and search per change, {batch} at a time",
            measured=meter.total(*writes) / len(records),
        )
