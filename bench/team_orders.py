"""Orders of a team with all values by which people search, and all items that are stored for each.

Items are those that the product's own code writes, read off the requests that it makes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from bench.stored_rows import Item
from milepost.activity.aws.log import ActivityTable
from milepost.activity.entry import Actor, Entry, Outcome, Via
from milepost.common.status import Status
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.recipients import Choice
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import Order, OrderKey, TrackedOrder
from milepost.queries.aws.projector import MeasuredOrders
from milepost.queries.indexed_words import IndexedWords, Indexing, indexed_words
from milepost.queries.stage_durations import change_of
from tests.builders import RABOT, notice, report, tracked

CONNECTION: Final = replace(RABOT, country="DE")
TABLES: Final = ("OrdersTable", "SearchTable", "FiguresTable", "NoticesTable", "ActivityTable")
RARE: Final = Status.IN_PROGRESS
"""One order in a hundred has it."""
NOT_NOTIFIED: Final = 10
"""Of so many notices one is for nobody."""
CHANGED: Final = 20
"""Of so many orders one was changed by a person; every second such change is a cancellation."""
REASON: Final = "no email address"
_OPEN: Final = (Status.PENDING, Status.SUBMITTED, Status.ACCEPTED, Status.SCHEDULED)
_FIRST: Final = [
    "Anna",
    "Ben",
    "Clara",
    "David",
    "Emma",
    "Finn",
    "Greta",
    "Hannes",
    "Ida",
    "Jonas",
    "Katharina",
    "Lena",
    "Marie",
    "Noah",
    "Oskar",
    "Paula",
    "Quirin",
    "Rosa",
    "Stefan",
    "Theresa",
    "Ulrich",
    "Vera",
    "Wilhelm",
    "Yasmin",
    "Zoe",
    "Jürgen",
    "Käthe",
    "Søren",
]
_LAST: Final = [
    "Müller",
    "Schmidt",
    "Schneider",
    "Fischer",
    "Weber",
    "Meyer",
    "Wagner",
    "Becker",
    "Schulz",
    "Hoffmann",
    "Schäfer",
    "Koch",
    "Bauer",
    "Richter",
    "Klein",
    "Wolf",
    "Schröder",
    "Neumann",
    "Schwarz",
    "Zimmermann",
    "Braun",
    "Krüger",
    "Hofmann",
    "Hartmann",
    "Lange",
    "Schmitt",
    "Werner",
    "Schmitz",
    "Krause",
    "Meier",
    "Lehmann",
    "Schmid",
    "Schulze",
    "Maier",
    "Köhler",
    "Herrmann",
    "König",
    "Walter",
]
_STREETS: Final = [
    "Lindenstraße",
    "Hauptstraße",
    "Bahnhofstraße",
    "Gartenweg",
    "Schulstraße",
    "Dorfstraße",
    "Bergstraße",
    "Birkenweg",
]
_CITIES: Final = (
    ("10969", "Berlin"),
    ("20095", "Hamburg"),
    ("80331", "München"),
    ("50667", "Köln"),
    ("60311", "Frankfurt am Main"),
)


@dataclass
class Requests:
    """A client of empty tables: records the items that it gets, and stores none."""

    items: list[tuple[str, Item]] = field(default_factory=list)

    def put_item(self, **request: Any) -> None:
        self.items.append((request["TableName"], request["Item"]))

    def transact_write_items(self, **request: Any) -> None:
        for action in request["TransactItems"]:
            if "Put" in action:
                self.put_item(**action["Put"])

    def batch_get_item(self, **_: Any) -> Mapping[str, Any]:
        return {"Responses": {}}


def items_of(numbers: range, *, now: datetime) -> Iterator[tuple[str, Item]]:
    """The items that are stored for these orders, each with its table: the order, its words, what
    was counted of it, a notice and, for some, a person's change."""
    for number in numbers:
        requests = Requests()
        write(requests, number, now=now)
        yield from requests.items


def write(client: Any, number: int, *, now: datetime) -> None:
    """Write an order and its related items in the same way as the product."""
    stored = order(number, now=now)
    key, at = stored.order.key, now - timedelta(minutes=number % 40_000)
    OrdersTable(client, table_name="OrdersTable", connection=CONNECTION).write(stored, new=())
    measured = MeasuredOrders(client, figures_table="FiguresTable", search_table="SearchTable")
    measured.take([change_of(None, stored, sequence=f"{1:040d}", words_of=_words_of)])
    skipped = REASON if number % NOT_NOTIFIED == 0 else None
    choice = Choice(notice=notice(key=key, recipient="" if skipped else _mail(number)))
    NoticesTable(client, table_name="NoticesTable").enter(replace(choice, skipped=skipped), at=at)
    if number % CHANGED == 0:
        ActivityTable(client, table_name="ActivityTable").start(_change(number, key, at=at))


def order(number: int, *, now: datetime) -> TrackedOrder:
    """An order with every field by which it is found."""
    key = OrderKey(CONNECTION.id, f"V-{1_000_000 + number}", f"V-{1_000_000 + number}")
    postcode, city = _CITIES[number % len(_CITIES)]
    status = RARE if number % 100 == 0 else _OPEN[number % len(_OPEN)]
    reported = report(
        status,
        key=key,
        customer={
            "name": name_of(number),
            "email": _mail(number),
            "phone": phone_of(number),
            "number": f"K-{200_000 + number}",
        },
        address={
            "street": f"{_STREETS[number % len(_STREETS)]} {number % 180 + 1}",
            "postcode": postcode,
            "city": city,
            "country": "DE",
        },
        reference=f"PP-{number:06d}",
        meter_number=meter_of(number),
        malo=malo_of(number),
        charge_box={"serial_number": serial_of(number)},
        invoices=[{"id": f"in_{number}", "number": invoice_of(number)}],
    )
    at = now - timedelta(minutes=number % 40_000 + 1)
    return tracked(replace(reported, occurred_at=at, seen_at=at))


def name_of(number: int) -> str:
    """About one in a thousand has the same name; a last name is shared by one in thirty-eight."""
    return f"{_FIRST[number % len(_FIRST)]} {_LAST[number // len(_FIRST) % len(_LAST)]}"


def phone_of(number: int) -> str:
    return f"+49 30 {5_000_000 + number}"


def meter_of(number: int) -> str:
    return f"1EMH{number:010d}"


def malo_of(number: int) -> str:
    return f"{51_000_000_000 + number * 13}"


def serial_of(number: int) -> str:
    return f"ZAP-{number:06d}-X"


def invoice_of(number: int) -> str:
    return f"RE-2026-{number:06d}"


def _mail(number: int) -> str:
    return f"customer{number:06d}@example.org"


def _change(number: int, key: OrderKey, *, at: datetime) -> Entry:
    return Entry(
        id=f"{number:08d}",
        at=at,
        actor=Actor(person="lena", subject="s"),
        kind="perform_action",
        via=Via.CONSOLE,
        outcome=Outcome.DONE,
        status=200,
        targets={
            "connection": key.connection,
            "order": key.path_id,
            "action": "cancel" if number % (2 * CHANGED) == 0 else "reschedule",
        },
        connections=frozenset({key.connection}),
    )


def _words_of(one: Order) -> IndexedWords:
    return indexed_words(one, Indexing(country=CONNECTION.country))
