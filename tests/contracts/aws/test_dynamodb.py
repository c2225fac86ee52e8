"""What is asked of DynamoDB itself, on every engine: conditions, streams, expiry and its price."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from botocore.session import get_session
from moto import mock_aws

from milepost.aws import clients
from milepost.aws.dynamodb_items import from_item, to_item
from milepost.common.status import Status
from milepost.orders.aws.orders_keys import item_key
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import OrderKey
from milepost.orders.recording import RecordOutcome, record
from milepost.providers.registry import adapter
from tests.builders import (
    KEY,
    NOON,
    OFFERGRID,
    RULES,
    announcement,
    minute,
    offergrid_item,
    offergrid_order,
    report,
    tracked,
)
from tests.contracts.conftest import DYNAMODB_LOCAL, ENGINES, open_session
from tests.stack import create_table

TABLE = "OrdersTable"
TTL_SECONDS = 30
"""How long an engine may take to remove what has expired; AWS itself takes days."""
needs_dynamodb_local = pytest.mark.skipif(
    not DYNAMODB_LOCAL, reason="only DynamoDB Local does it; `make test-all` has it"
)


@dataclass(frozen=True)
class Streamed:
    """A table with its stream."""

    dynamodb: Any
    streams: Any
    name: str
    arn: str

    def records(self) -> list[dict[str, Any]]:
        """Everything on the stream, from its beginning."""
        shards = self.streams.describe_stream(StreamArn=self.arn)["StreamDescription"]["Shards"]
        return [one for shard in shards for one in self._records_of(shard["ShardId"])]

    def _records_of(self, shard_id: str) -> list[dict[str, Any]]:
        iterator = self.streams.get_shard_iterator(
            StreamArn=self.arn, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found: list[dict[str, Any]] = self.streams.get_records(ShardIterator=iterator)["Records"]
        return found


@pytest.fixture(params=ENGINES)
def streamed(request: pytest.FixtureRequest) -> Iterator[Streamed]:
    with open_session(request.param, request) as make_client:
        yield make_streamed(make_client)


@pytest.fixture
def expiring(request: pytest.FixtureRequest) -> Iterator[Streamed]:
    with open_session("dynamodb_local", request) as make_client:
        made = make_streamed(make_client, "NoticesTable")
        made.dynamodb.update_time_to_live(
            TableName=made.name,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"},
        )
        yield made


def make_streamed(make_client: Callable[[str], Any], declared: str = TABLE) -> Streamed:
    dynamodb, name = make_client("dynamodb"), f"{declared}-{uuid4().hex[:8]}"
    create_table(dynamodb, declared, name=name, with_stream=True)
    arn = dynamodb.describe_table(TableName=name)["Table"]["LatestStreamArn"]
    return Streamed(dynamodb, make_client("dynamodbstreams"), name, arn)


# ---- Attributes -------------------------------------------------------------------------------

EVERY_KIND: dict[str, Any] = {
    "pk": "order#1",
    "sk": "item#1",
    "text": "Zähler \u2028",
    "number": Decimal("12345678901234567890.0123456789"),
    "flag": True,
    "list": [None, {"deep": ["a", Decimal(1)]}],
    "texts": {"a", "b"},
    "numbers": {Decimal(1), Decimal(2)},
}


def test_items_go_past_botocore_as_they_would_through_it() -> None:
    with mock_aws():
        ours, plain = clients.client("dynamodb"), get_session().create_client("dynamodb")
        create_table(plain, TABLE, name=TABLE)
        key = to_item({"pk": "order#1", "sk": "item#1"})
        for writer, reader in ((ours, plain), (plain, ours)):
            writer.put_item(TableName=TABLE, Item=to_item(EVERY_KIND))
            asked = {TABLE: {"Keys": [key]}}
            for item in (
                reader.get_item(TableName=TABLE, Key=key)["Item"],
                reader.batch_get_item(RequestItems=asked)["Responses"][TABLE][0],
                refusal(
                    reader.put_item,
                    TableName=TABLE,
                    Item=key,
                    ConditionExpression="attribute_not_exists(pk)",
                )["Item"],
            ):
                assert from_item(item) == EVERY_KIND


# ---- Conditions -------------------------------------------------------------------------------


def refusal(call: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as error:
        call(ReturnValuesOnConditionCheckFailure="ALL_OLD", **arguments)
    response: dict[str, Any] = error.value.response
    assert response["Error"]["Code"] == "ConditionalCheckFailedException"
    return response


@pytest.mark.parametrize("write", ["put", "update", "delete"])
def test_a_condition_that_is_not_met_hands_over_the_item_in_the_way(
    write: str, dynamodb: Any, table: str
) -> None:
    item = to_item({"pk": "order#a", "sk": "item#1", "version": 3, "nested": {"list": [1, "x"]}})
    dynamodb.put_item(TableName=table, Item=item)
    response = refusal(**_conditional(dynamodb, table, write))
    assert response["Item"] == item


@pytest.mark.parametrize("write", ["put", "update", "delete"])
def test_a_condition_on_what_is_not_there_hands_over_nothing(
    write: str, dynamodb: Any, table: str
) -> None:
    response = refusal(**_conditional(dynamodb, table, write))
    assert not response.get("Item")


def _conditional(dynamodb: Any, table: str, write: str) -> dict[str, Any]:
    """A write that wants version 2 of an item."""
    key = to_item({"pk": "order#a", "sk": "item#1"})
    arguments: dict[str, Any] = {
        "put": {"call": dynamodb.put_item, "Item": key},
        "update": {
            "call": dynamodb.update_item,
            "Key": key,
            "UpdateExpression": "SET seen = :seen",
        },
        "delete": {"call": dynamodb.delete_item, "Key": key},
    }[write]
    return {
        **arguments,
        "TableName": table,
        "ConditionExpression": "version = :seen",
        "ExpressionAttributeValues": to_item({":seen": 2}),
    }


# ---- The stream -------------------------------------------------------------------------------


def test_each_write_is_on_the_stream_once_and_in_order(streamed: Streamed) -> None:
    orders = OrdersTable(streamed.dynamodb, table_name=streamed.name, connection=OFFERGRID)
    for at, status in enumerate((Status.PENDING, Status.ACCEPTED, Status.SCHEDULED)):
        record(report(status, at), orders=orders, rules=RULES, now=NOON)
    record(report(Status.SCHEDULED, 2), orders=orders, rules=RULES, now=NOON)
    records = streamed.records()
    assert [one["eventName"] for one in records] == ["INSERT", "MODIFY", "MODIFY"]
    images = [one["dynamodb"] for one in records]
    assert [one["NewImage"]["version"]["N"] for one in images] == ["1", "2", "3"]
    assert [one["OldImage"]["version"]["N"] for one in images[1:]] == ["1", "2"]
    assert ["announce" in one["NewImage"] for one in images] == [False, True, True]


def test_a_removal_is_on_the_stream_without_a_new_image(streamed: Streamed) -> None:
    orders = OrdersTable(streamed.dynamodb, table_name=streamed.name, connection=OFFERGRID)
    orders.write(tracked(report(Status.ACCEPTED)), new=(announcement(),))
    streamed.dynamodb.delete_item(TableName=streamed.name, Key=to_item(item_key(KEY)))
    removal = streamed.records()[-1]
    assert removal["eventName"] == "REMOVE"
    assert "announce" in removal["dynamodb"]["OldImage"]
    assert "announce" not in removal["dynamodb"].get("NewImage", {})


@needs_dynamodb_local
def test_what_has_expired_leaves_by_the_stream_and_carries_nothing_to_announce(
    expiring: Streamed,
) -> None:
    item = {**item_key(KEY), "announce": "[]", "expires_at": int(time.time()) - 60}
    later = {**item, "sk": "item#later", "expires_at": int(time.time()) + 3600}
    for one in (item, later):
        expiring.dynamodb.put_item(TableName=expiring.name, Item=to_item(one))
    deadline = time.monotonic() + TTL_SECONDS
    while len(records := expiring.records()) < 3:
        assert time.monotonic() < deadline, "nothing expired"
        time.sleep(0.2)
    *_, removal = records
    assert removal["dynamodb"]["Keys"] == to_item(item_key(KEY))
    assert removal["dynamodb"]["OldImage"] == to_item(item)
    assert "NewImage" not in removal["dynamodb"]


# ---- What it costs ----------------------------------------------------------------------------


@dataclass
class Meter:
    """Counts the write units of puts, index included, as the engine tells them."""

    units: float = 0.0

    def watch(self, client: Any) -> "Meter":
        events = client.meta.events
        events.register("provide-client-params.dynamodb.PutItem", self._ask)
        events.register("after-call.dynamodb.PutItem", self._count)
        return self

    def _ask(self, params: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**params, "ReturnConsumedCapacity": "INDEXES"}

    def _count(self, parsed: dict[str, Any], **_: Any) -> None:
        self.units += parsed.get("ConsumedCapacity", {}).get("CapacityUnits", 0.0)


STEPS = ("pending", "submitted_to_provider", "accepted", "scheduled", "in_progress", "completed")


@pytest.fixture
def metered(request: pytest.FixtureRequest) -> Iterator[tuple[OrdersTable, Meter]]:
    """A table whose writes are metered, on the one engine that prices them as AWS does."""
    with open_session("dynamodb_local", request) as make_client:
        client = make_client("dynamodb")
        name = create_table(client, TABLE, name=f"{TABLE}-{uuid4().hex[:8]}")
        yield OrdersTable(client, table_name=name, connection=OFFERGRID), Meter().watch(client)


@needs_dynamodb_local
def test_a_transition_of_a_six_step_order_costs_at_most_four_write_units(
    metered: tuple[OrdersTable, Meter],
) -> None:
    orders, meter = metered
    rules = adapter(OFFERGRID.provider).rules
    transitions = 0
    for reports in six_steps():
        done = [record(one, orders=orders, rules=rules, now=NOON) for one in reports]
        transitions += sum(one.outcome is RecordOutcome.TRANSITION for one in done)
    kept = orders.read(OrderKey.of(reports[0]))
    assert kept is not None
    assert kept.order.status is Status.COMPLETED
    assert transitions == len(STEPS)
    assert 0 < meter.units / transitions <= 4, f"{meter.units / transitions:.1f} units"


@needs_dynamodb_local
def test_a_duplicate_writes_nothing(metered: tuple[OrdersTable, Meter]) -> None:
    orders, meter = metered
    record(report(Status.ACCEPTED), orders=orders, rules=RULES, now=NOON)
    first = meter.units
    for _ in range(2):
        record(report(Status.ACCEPTED), orders=orders, rules=RULES, now=NOON)
    assert meter.units == first > 0


def six_steps() -> Iterator[list[Any]]:
    """What polls tell of an order on its way, with all that a provider knows of it."""
    provider = adapter(OFFERGRID.provider)
    for number, status in enumerate(STEPS):
        at = minute(number).isoformat().replace("+00:00", "Z")
        order = offergrid_order(updatedAt=at, items=[offergrid_item(status=status, updatedAt=at)])
        yield list(provider.read_order(order, connection=OFFERGRID, requested_at=minute(number)))
