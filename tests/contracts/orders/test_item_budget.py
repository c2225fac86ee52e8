"""An order's item stays well below what DynamoDB stores, whatever its order consists of."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.common.identifiers import LONGEST_ID, is_order_id
from milepost.common.status import Status
from milepost.notifications.aws.delivery_log_items import notice_item
from milepost.notifications.notice import Channel
from milepost.notifications.recipients import Choice
from milepost.orders.announcements import MOST_ANNOUNCED
from milepost.orders.aws.table import OrdersTable, order_item, tracked_order
from milepost.orders.details import Details
from milepost.orders.lifecycle import fold
from milepost.orders.order import Attention, Kind, OrderKey, TrackedOrder
from milepost.orders.provider_rules import Rules
from milepost.orders.recording import UnstorableOrder, record
from milepost.orders.report import Report, Source
from milepost.orders.timeline_summary import MOST_ACKNOWLEDGED
from milepost.queries.aws.figures import FiguresTable
from milepost.queries.aws.projector import MeasuredOrders
from milepost.queries.aws.search import SearchTable
from milepost.queries.stage_durations import change_of
from tests.builders import KEY, NOON, OFFERGRID, RULES, announcement, minute, notice, report
from tests.contracts.conftest import make_table, open_engine
from tests.fakes.orders import MemoryOrders
from tests.stack import create_table

TABLE = "OrdersTable"
BUDGET = 330_000
SCRIPTS = ("x", "é", "न", "\U0001f600")
TALKATIVE = Rules(
    recovers={"rejected": frozenset({Status.ACCEPTED})},
    examine=lambda _status, details: [
        Attention(f"code_{place % 5}", f"{place} {details.get('reason', '')}")
        for place in range(90)
    ],
    waits=lambda _status, details: details.get("cause"),
)


def stored_bytes(attribute: dict[str, Any]) -> int:
    """What DynamoDB counts for a value.

    Source: Developer Guide, "DynamoDB item sizes and formats": UTF-8 bytes of texts and names; a
    number about a byte for two digits, and one; three bytes for a list or map and one for each
    element; one for a truth value or null.
    """
    ((kind, content),) = attribute.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return (len(content.lstrip("-").replace(".", "")) + 1) // 2 + 2
        case "L":
            return 3 + sum(1 + stored_bytes(one) for one in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + stored_bytes(v) for name, v in content.items())
        case "SS":
            return sum(len(one.encode()) for one in content)
        case _:
            return 1


def size_of(tracked: TrackedOrder) -> int:
    item = order_item(tracked, connection=OFFERGRID, new=tracked.announced[-2:])
    serializer = TypeSerializer()
    return sum(
        len(name.encode()) + stored_bytes(serializer.serialize(value))
        for name, value in item.items()
        if value is not None
    )


def every_fact(text: str, count: int) -> dict[str, Any]:
    """Details in which each fact that there is has this text, and each list so many elements."""
    customer = dict.fromkeys(("name", "business", "email", "phone", "number"), text)
    address = dict.fromkeys(("street", "unit", "postcode", "city", "region", "country"), text)
    words = {
        name: text
        for name, kind in Details.__annotations__.items()
        if kind is str and name not in ("appointment", "ordered_at", "signed_at", "shortened")
    }
    invoice = {**dict.fromkeys(("id", "number", "kind", "currency"), text), "paid": False}
    return {
        **{name: value for name, value in words.items() if not name.startswith("action")},
        "customer": customer,
        "address": address,
        "offer": dict.fromkeys(("id", "name", "supplier"), text),
        "installer": {"kind": text, "name": text},
        "commission": {"currency": text, "status": text, "paid_at": text[:40]},
        "notes": [{"kind": "other", "text": text}] * count,
        "invoices": [invoice] * count,
        "emails": [{"type": text, "not_sent_reason": text, "sent": False}] * count,
        "acknowledged": [f"code#{place:08x}" for place in range(count)],
    }


def recorded(reports: list[Report], *, rules: Rules = TALKATIVE) -> TrackedOrder:
    """The order that these reports make, each read back from the table before the next."""
    orders = MemoryOrders()
    for one in reports:
        record(one, orders=orders, rules=rules, now=one.seen_at)
    return orders.kept[KEY]


def flapping(at: int) -> Status:
    return Status.REJECTED if at % 2 else Status.ACCEPTED


@dataclass(frozen=True)
class Sort:
    """A sort of report: how much it says, in which script, and how it comes."""

    script: str
    length: int
    count: int
    status: Status | None = Status.ACCEPTED
    way: str = "event"
    is_late: bool = False

    def reports(self, places: Iterable[int]) -> Iterator[Report]:
        """So many of it, no two of which say the same."""
        text = self.script * self.length
        facts = every_fact(text, min(self.count, 12_000 // (self.length + 1)))
        for place in places:
            said: dict[str, Any] = {**facts, "reference": f"{place} {text}"}
            when = place / 1_000 if self.is_late else float(place)
            if self.way == "person":
                said |= {"action": "note", "action_key": f"k-{place}"}
                yield report(None, when, seen=place, source=Source.PERSON, **said)
                continue
            one = report(self.status, when, seen=place, raw=f"{self.status}{text}", **said)
            yield replace(one, snapshot_at=minute(place)) if self.way == "snapshot" else one


def some_sorts() -> st.SearchStrategy[list[Sort]]:
    sort = st.builds(
        Sort,
        script=st.sampled_from(SCRIPTS),
        length=st.sampled_from([0, 3, 50, 700, 3_000, 9_000]),
        count=st.sampled_from([0, 1, 7, 80]),
        status=st.sampled_from([*(s for s in Status if s is not Status.UNKNOWN), None]),
        way=st.sampled_from(["event", "snapshot", "person"]),
        is_late=st.booleans(),
    )
    return st.lists(sort, min_size=1, max_size=6)


def interleaved(sorts: list[Sort], rounds: int) -> list[Report]:
    several = [
        sort.reports(range(place, rounds * len(sorts), len(sorts)))
        for place, sort in enumerate(sorts)
    ]
    return [one for together in zip(*several, strict=True) for one in together]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("script", SCRIPTS, ids=["ascii", "2 bytes", "3 bytes", "4 bytes"])
@pytest.mark.parametrize(("length", "count", "rounds"), [(600, 99, 3), (40, 20, 25), (3, 3, 50)])
def test_an_item_is_accepted_whatever_is_in_it(
    script: str, length: int, count: int, rounds: int, request: pytest.FixtureRequest
) -> None:
    def sort(**how: Any) -> Sort:
        return Sort(script, length, count, **how)

    whole = recorded(
        interleaved(
            [
                sort(),
                sort(status=Status.REJECTED),
                sort(way="snapshot"),
                sort(way="person"),
                sort(status=Status.CANCELLED, is_late=True),
            ],
            rounds,
        )
    )
    assert size_of(whole) <= BUDGET
    with open_engine("moto", request) as client:
        table = OrdersTable(client, table_name=make_table(request, client), connection=OFFERGRID)
        table.write(replace(whole, version=1), new=whole.announced[-1:])
        assert table.read(KEY) == replace(whole, version=1)


@pytest.mark.thorough
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some_sorts(), st.integers(1, 16))
def test_no_order_grows_beyond_its_budget(sorts: list[Sort], rounds: int) -> None:
    whole = recorded(interleaved(sorts, rounds))
    assert size_of(whole) <= BUDGET
    item = to_item(order_item(whole, connection=OFFERGRID, new=()))
    assert tracked_order(from_item(item)) == whole
    assert len({one.id for one in whole.order.attention}) == len(whole.order.attention)


@pytest.mark.thorough
def test_the_largest_order_that_can_be_is_within_the_budget() -> None:
    """Every list at its cap, and every text at its longest."""
    light = [report(flapping(at), at, raw=flapping(at)) for at in range(700)]
    heavy = [
        report(flapping(at), at, raw=flapping(at), **every_fact(f"{at}" + "\U0001f600" * 130, 5))
        for at in range(700, 730)
    ]
    told = tuple(
        announcement(
            Kind.RESCHEDULED,
            at,
            status=Status.IN_PROGRESS,
            previous=Status.IN_PROGRESS,
            occurred_at=minute(at + 0.001),
            announced_at=minute(at + 0.001),
            correction=True,
        )
        for at in range(1, MOST_ANNOUNCED + 1)
    )
    order, largest = fold(light, TALKATIVE), 0
    for one in heavy:
        order = fold([*(e.report for e in order.timeline), one], TALKATIVE, order.summary)
        assert order.summary is not None
        acknowledged = frozenset(f"unknown_status#{at:08x}" for at in range(MOST_ACKNOWLEDGED))
        full = replace(order, summary=replace(order.summary, acknowledged=acknowledged))
        whole = TrackedOrder(order=full, version=10**9, announced=told)
        largest = max(largest, size_of(whole))
    assert 200_000 < largest <= BUDGET


class Refusing:
    """A client whose calls fail as told."""

    def __init__(self, code: str, message: str) -> None:
        self._error = ClientError({"Error": {"Code": code, "Message": message}}, "PutItem")

    def put_item(self, **_: Any) -> None:
        raise self._error


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Item size has exceeded the maximum allowed size", "larger than an item"),
        (
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum "
            "size limit of2048 bytes",
            "longer than a key",
        ),
        ("Charlotte Nguyen is no number", "as invalid"),
    ],
)
def test_what_dynamodb_refuses_for_good_is_told_apart_and_not_quoted(
    message: str, words: str
) -> None:
    client = Refusing("ValidationException", message)
    table = OrdersTable(client, table_name="t", connection=OFFERGRID)
    with pytest.raises(UnstorableOrder, match=words) as refused:
        record(report(Status.ACCEPTED), orders=Missing(table), rules=RULES, now=NOON)
    assert "Charlotte" not in str(refused.value)


@pytest.mark.parametrize(
    "code",
    [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "InternalServerError",
        "AccessDeniedException",
        "ResourceNotFoundException",
        "TransactionConflictException",
    ],
)
def test_any_other_error_of_dynamodb_comes_back_as_it_is(code: str) -> None:
    table = OrdersTable(Refusing(code, "later"), table_name="t", connection=OFFERGRID)
    with pytest.raises(ClientError) as failed:
        record(report(Status.ACCEPTED), orders=Missing(table), rules=RULES, now=NOON)
    assert failed.value.response["Error"]["Code"] == code


class Missing:
    """Orders of which none is there yet, that are written to a table."""

    def __init__(self, table: OrdersTable) -> None:
        self.write = table.write

    def read(self, _key: OrderKey) -> None:
        return None


@pytest.mark.parametrize("value", [1.5, b"bytes", object()])
def test_a_value_that_no_item_holds_makes_an_order_unstorable(
    value: Any, dynamodb: Any, table: str
) -> None:
    stored = OrdersTable(dynamodb, table_name=table, connection=OFFERGRID)
    odd = report(Status.ACCEPTED, account_number="AC-1")
    object.__setattr__(odd, "details", {"account_number": value})
    with pytest.raises(UnstorableOrder, match="TypeError"):
        stored.write(TrackedOrder(order=fold([odd], RULES), version=1), new=())
    assert stored.read(KEY) is None


def test_an_item_too_large_leaves_the_order_as_it_was(dynamodb: Any, table: str) -> None:
    stored = OrdersTable(dynamodb, table_name=table, connection=OFFERGRID)
    record(report(Status.ACCEPTED), orders=stored, rules=RULES, now=NOON)
    before = stored.read(KEY)
    assert before is not None
    huge = replace(
        before.order, attention=tuple(Attention("c", "x" * 1_000 + str(n)) for n in range(500))
    )
    with pytest.raises(UnstorableOrder, match="400 KB"):
        stored.write(replace(before, order=huge, version=2), new=())
    assert stored.read(KEY) == before


WIDE = "\U00020000"
"""A letter of four bytes."""
LONG_IDS = ("o" * LONGEST_ID, "é" * (LONGEST_ID // 6), "न" * (LONGEST_ID // 9),
            "\U0001f600" * (LONGEST_ID // 12), "#" * (LONGEST_ID // 3))  # fmt: skip


@pytest.mark.parametrize("order_id", LONG_IDS, ids=["ascii", "2 bytes", "3 bytes", "4 bytes", "#"])
def test_an_order_of_the_longest_ids_fits_every_table(
    order_id: str, request: pytest.FixtureRequest
) -> None:
    connection = replace(OFFERGRID, id="c" * 64)
    key = OrderKey(connection.id, order_id, order_id)
    assert is_order_id(order_id)
    assert not is_order_id(order_id + order_id[0])
    reference = " ".join([WIDE * 70] * 3)
    with open_engine("moto", request) as client:
        stored = OrdersTable(client, table_name=make_table(request, client), connection=connection)
        one = report(Status.ACCEPTED, key=key, service_type="न" * 2_000, reference=reference)
        gone = report(Status.SCHEDULED, 9, key=key, service_type="न" * 2_000, reference=reference)
        for each in (one, gone):
            record(each, orders=stored, rules=RULES, now=NOON)
        whole = stored.read(key)
        assert whole is not None
        _fits_figures_and_search(client, whole)
        _fits_notices(client, key)


def _fits_figures_and_search(client: Any, whole: TrackedOrder) -> None:
    names = {name: create_table(client, name) for name in ("FiguresTable", "SearchTable")}
    measured = MeasuredOrders(
        client, figures_table=names["FiguresTable"], search_table=names["SearchTable"]
    )
    measured.take([change_of(None, whole)])
    key = whole.order.key
    figures = FiguresTable(client, table_name=names["FiguresTable"])
    assert list(figures.counted([key])) == [key]
    assert len(figures.stages([key.connection], months=["2026-03"])) == 1
    search = SearchTable(client, table_name=names["SearchTable"])
    assert search.find_by_reference(WIDE * 10, connections=[key.connection]) == [key]


def _fits_notices(client: Any, key: OrderKey) -> None:
    name = create_table(client, "NoticesTable")
    for channel in Channel:
        choice = Choice(notice=notice(key=key, channel=channel, copy=9999))
        item = notice_item(choice, at=NOON)
        client.put_item(TableName=name, Item=to_item(item))
        # The longest key that is made of a notice's id: what is due, by when.
        due = {"pk": "due", "sk": f"2026-03-02T12:00:00.000Z#{channel}#{choice.notice.id}"}
        client.put_item(TableName=name, Item=to_item(due))


@pytest.mark.parametrize("text", ["", "\ud800", "x" * 201, "é" * 34])
def test_an_id_that_no_key_holds_is_none(text: str) -> None:
    assert not is_order_id(text)
