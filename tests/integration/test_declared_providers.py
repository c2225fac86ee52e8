"""Declared providers in deployed functions: webhooks become orders, faults stay their own."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.providers.file import read_declaration
from milepost.connections.connection import Connection
from tests.batches import sqs_batch
from tests.builders import offergrid_event
from tests.make_webhook_events import inbox_message
from tests.permissions import Use, Watch
from tests.stack import CONNECTIONS_PATH, Context, Stack, aws

EXAMPLES = Path(__file__).parents[2] / "providers" / "examples"
SHOP = Connection(
    id="shop", provider="woocommerce", base_url="https://shop.example", provider_version=2
)
FETCHING = """
webhooks:
  signature: standard-webhooks
  kinds:
    any: {kind: fetch, id: id}
"""


@pytest.fixture
def shop(stack: Stack) -> Stack:
    text = (EXAMPLES / "woocommerce.yaml").read_text()
    _store(2, read_declaration(text).as_json())
    before, _, behind = text.partition("webhooks:\n")
    _store(
        3,
        read_declaration(before + FETCHING + "actions" + behind.partition("actions")[2]).as_json(),
    )
    stack.apply(SHOP)
    return stack


def _store(version: int, text: str) -> None:
    name = f"{CONNECTIONS_PATH}/providers/woocommerce/{version}"
    aws("ssm").put_parameter(Name=name, Value=text, Type="String", Overwrite=True)


def take(stack: Stack, body: str, *, connection: str = SHOP.id) -> list[Any]:
    app = stack.load("record_report")
    batch = sqs_batch([inbox_message(body, connection=connection)])
    return list(app.handler(batch, Context())["batchItemFailures"])


ORDER = (EXAMPLES / "woocommerce" / "webhook-1.json").read_text()


def test_a_webhook_of_a_declared_provider_becomes_an_order(shop: Stack) -> None:
    assert take(shop, ORDER) == []
    (item,) = shop.items("OrdersTable")
    assert (item["status"], item["raw_status"]) == ("accepted", "processing")
    assert item["provider"] == "woocommerce"


def test_a_webhook_that_only_names_an_order_is_kept_and_starts_its_fetch(
    shop: Stack, permitted: Watch
) -> None:
    shop.put_settings(
        "shop",
        json.dumps({"id": "shop", "provider": "woocommerce", "base_url": "https://shop.example",
                    "provider_version": 3}),
    )  # fmt: skip
    # There is no function poll_orders here, so the message comes back.
    assert len(take(shop, '{"id": 7}')) == 1
    assert ("record_report", Use("lambda:InvokeFunction", "PollOrdersFunction")) in permitted.asked
    assert shop.items("OrdersTable") == []
    (poll,) = [one for one in shop.items("PollsTable") if one["pk"] == "poll#shop"]
    assert poll["named"] == {"+7"}


ROWS = """
order: {id: id, changed_at: date_modified, items: {each: EACH, id: id, status: state}}
statuses: {map: {new: pending}}
webhooks: {signature: standard-webhooks, kinds: {any: {kind: order}}}
"""


def with_items(stack: Stack, each: str) -> None:
    """The shop's orders have items, which this expression finds."""
    before, _, _ = (EXAMPLES / "woocommerce.yaml").read_text().partition("\norder:\n")
    _store(4, read_declaration(before + ROWS.replace("EACH", each)).as_json())
    stack.apply(replace(SHOP, provider_version=4))


def test_a_bad_item_of_a_webhook_is_kept_alone_and_its_siblings_recorded(shop: Stack) -> None:
    with_items(shop, "body.rows")
    rows = [{"id": "a", "state": "new"}, {"id": "b", "state": None}, {"id": "c", "state": "new"}]
    order = {"id": 7, "date_modified": "2026-03-02T10:00:00", "body": {"rows": rows}}
    assert take(shop, json.dumps(order)) == []
    assert {one["sk"] for one in shop.items("OrdersTable")} == {"item#a", "item#c"}
    ((kept,),) = [shop.objects("QuarantineBucket").values()]
    assert json.loads(kept) == {**order, "body": {"rows": rows[1:2]}}


def test_what_an_adapter_fails_on_is_kept_byte_for_byte_and_is_no_dead_letter(shop: Stack) -> None:
    with_items(shop, "values(rows)")
    body = '{"id": 7, "date_modified": "2026-03-02T10:00:00",  "rows": 7}'
    assert take(shop, body) == []
    assert list(shop.objects("QuarantineBucket").values()) == [body.encode()]
    assert shop.items("OrdersTable") == []


def test_a_stored_file_that_cannot_be_read_stops_no_other_connection(shop: Stack) -> None:
    _store(2, '{"name": "woocommerce", "version": 1}')
    assert take(shop, ORDER) == []
    assert take(shop, json.dumps(offergrid_event()), connection="offergrid-home") == []
    (item,) = shop.items("OrdersTable")
    assert item["provider"] == "offergrid"
