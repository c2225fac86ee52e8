"""An order is recorded, taken into the search index and its customer is erased, in every order.

Whatever comes first, afterwards nothing of the customer is left: what the erasure did not see was
refused, or is noted by whoever made it findable and erased by ``finish_erasures``.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from milepost.aws.dynamodb_items import to_item
from milepost.operations.erasure.erase import Erasure
from milepost.operations.erasure.place import Swept
from milepost.operations.erasure.subject import Subject
from milepost.orders.aws.orders_keys import item_key
from milepost.orders.search_terms import customer_id_of_email
from tests.builders import KEY, offergrid_order
from tests.integration.operator_requests import http_event, hurry
from tests.make_events import sqs_batch
from tests.make_webhook_events import inbox_message
from tests.stack import Context, Stack

EMAIL = "charlotte.nguyen@example.com"
CUSTOMER = customer_id_of_email(EMAIL)
BEFORE = datetime.now(UTC) - timedelta(minutes=10)


class World:
    """The functions that take part, on one stack, each step by step."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.apps = {
            name: stack.load(name)
            for name in ("record_report", "measure_stages", "finish_erasures", "orders_api")
        }
        hurry(self.apps["orders_api"])
        self._indexed = 0

    @property
    def erasure(self) -> Erasure:
        made: Erasure = self.apps["orders_api"].api.services.operations.erasure
        return made

    def record(self, order: dict[str, Any], *, seen_at: datetime = BEFORE) -> None:
        said = {
            **json.loads(inbox_message(json.dumps(order))),
            "source": "poll",
            "received_at": seen_at.timestamp(),
        }
        self.run("record_report", sqs_batch([json.dumps(said)]))

    def index(self) -> None:
        """Every order as it is now, as the stream's records would have it."""
        self._indexed += 1
        records = [
            {"dynamodb": {"NewImage": to_item(item), "SequenceNumber": str(self._indexed)}}
            for item in self.stack.items("OrdersTable")
        ]
        if records:
            self.run("measure_stages", {"Records": records})

    def erase(self) -> int:
        """How many orders the API says became tombstones."""
        request = http_event("DELETE", f"/customers/{CUSTOMER}", None, role="operator", query={})
        answer = self.apps["orders_api"].handler(request, Context())
        assert answer["statusCode"] == 200, answer
        return int(json.loads(answer["body"])["orders"])

    def finish(self, *, after: timedelta = timedelta(0)) -> None:
        now = (datetime.now(UTC) + after).isoformat()
        self.apps["finish_erasures"].handler({"now": now}, Context())

    def run(self, function: str, event: dict[str, Any]) -> None:
        answer = self.apps[function].handler(event, Context())
        assert answer == {"batchItemFailures": []}

    def everything(self) -> str:
        tables = ("OrdersTable", "SearchTable", "NoticesTable", "FiguresTable", "ErasuresTable")
        return str([self.stack.items(table) for table in tables]).lower()

    def living(self) -> list[str]:
        return [o["item_id"] for o in self.stack.items("OrdersTable") if "erased_at" not in o]


@pytest.fixture
def world(stack: Stack) -> World:
    return World(stack)


def order(**changes: Any) -> dict[str, Any]:
    made = offergrid_order(**changes)
    made["customer"] = {**made["customer"], "email": EMAIL}
    return made


STEPS = ("record", "index", "erase", "record another item")
WAYS = [
    *permutations(STEPS),
    *(
        pytest.param(steps, marks=pytest.mark.thorough)
        for steps in sorted(set(permutations((*STEPS, "index"))))
    ),
]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("steps", WAYS, ids=str)
def test_however_record_index_and_erase_come_nothing_of_the_customer_is_left(
    world: World, steps: tuple[str, ...]
) -> None:
    other = [{**order()["items"][0], "itemId": "item-2"}]
    do: dict[str, Callable[[], object]] = {
        "record": lambda: world.record(order()),
        "index": world.index,
        "erase": world.erase,
        "record another item": lambda: world.record(order(items=other)),
    }
    for step in steps:
        do[step]()
    # The stream brings every write to the index in the end.
    world.index()
    world.finish()
    world.index()
    assert world.living() == []
    assert not any(word in world.everything() for word in ("charlotte", "nguyen", "lygon"))
    found = [one["pk"] for one in world.stack.items("SearchTable")]
    assert not any(pk.startswith("customer#") for pk in found)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("moment", ["notices", "quarantined", "dead_letters", "unannounced"])
def test_an_order_that_is_indexed_while_places_are_looked_through_is_not_forgotten(
    world: World, moment: str
) -> None:
    world.record(order())
    place = next(one for one in world.erasure.places if one.name == moment)
    sweep = place.sweep

    def meanwhile(subject: Subject, *, dry_run: bool) -> Swept:
        world.index()
        return sweep(subject, dry_run=dry_run)

    place.sweep = meanwhile  # type: ignore[method-assign]
    assert world.erase() == 0
    assert world.living() != []
    place.sweep = sweep  # type: ignore[method-assign]
    assert world.erase() == 1
    assert world.living() == []


@pytest.mark.thorough
def test_what_is_erased_by_itself_is_counted_by_the_next_erasure(world: World) -> None:
    world.record(order())
    assert world.erase() == 0
    world.index()
    world.finish()
    assert world.living() == []
    assert [world.erase() for _ in range(2)] == [1, 0]


@pytest.mark.thorough
def test_a_late_report_of_a_new_order_is_refused_and_one_from_afterwards_is_not(
    world: World,
) -> None:
    world.erase()
    world.record(order(orderId="from-before"), seen_at=datetime.now(UTC) - timedelta(hours=23))
    assert world.living() == []
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    later = order(orderId="from-afterwards", items=[{**order()["items"][0], "itemId": "i-9"}])
    later |= {"orderDate": tomorrow.isoformat(), "createdAt": tomorrow.isoformat()}
    world.record(dated(later, tomorrow), seen_at=tomorrow)
    assert world.living() == ["i-9"]
    world.index()
    world.finish(after=timedelta(days=2))
    assert world.living() == ["i-9"]


def dated(value: Any, at: datetime) -> Any:
    """The same with every instant in it at this time."""
    if isinstance(value, dict):
        return {name: dated(one, at) for name, one in value.items()}
    if isinstance(value, list):
        return [dated(one, at) for one in value]
    if isinstance(value, str) and len(value) > 10 and value[:2] == "20" and value[10] == "T":
        return at.isoformat().replace("+00:00", "Z")
    return value


def test_a_change_that_is_announced_late_puts_nobody_into_the_log(
    world: World, stack: Stack
) -> None:
    announce = stack.load("announce")
    world.record(order())
    (item,) = stack.items("OrdersTable")
    item["announce"] = json.dumps(
        [
            {
                "sequence": 1,
                "kind": "scheduled",
                "status": "scheduled",
                "occurred_at": "2026-03-02T12:00:00Z",
                "announced_at": "2026-03-02T12:00:00Z",
            }
        ]
    )
    world.index()
    assert world.erase() == 1
    record = {"dynamodb": {"NewImage": to_item(item), "SequenceNumber": "1"}}
    assert announce.handler({"Records": [record]}, Context()) == {"batchItemFailures": []}
    assert stack.items("NoticesTable") == []
    assert item_key(KEY)["pk"] == item["pk"]
