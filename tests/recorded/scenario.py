"""The data of a day's work, the same for each version, and what people read of it."""

import json
from collections.abc import Mapping
from typing import Any, Final

from tests.integration.api_reads import all_there_is
from tests.integration.operator_requests import http_event, hurry
from tests.stack import ROOT, Context, Stack, aws, event, template

_BATCHES: Final = ("record_report", "announce", "measure_stages", "track_delivery")
_PATHS: Final = (
    *("/orders", "/stages", "/commissions", "/causes", "/subscriptions"),
    *("/subscriptions/crm", "/connections", "/connections/offergrid-home"),
)
_QUEUES: Final = {"EmailQueue": "send_notice", "EndpointQueue": "call_endpoint"}
"""Queues with messages between functions, and who reads them."""


def work(stack: Stack) -> None:
    """Customers, mails and subscriptions, then all events of the functions that write."""
    all_there_is(stack)
    for function in _BATCHES:
        app = stack.load(function)
        for path in sorted((ROOT / "events" / function).glob("*.json")):
            app.handler(event(function, path.stem), Context())


def items(stack: Stack) -> dict[str, list[dict[str, Any]]]:
    """The items of every table, as DynamoDB returns them."""
    tables = [n for n, one in template().items() if one["Type"] == "AWS::DynamoDB::Table"]
    found: dict[str, list[dict[str, Any]]] = {}
    for table in sorted(tables):
        answer = aws("dynamodb").scan(TableName=stack.resources[table])
        found[table] = sorted(answer["Items"], key=lambda one: json.dumps(one, sort_keys=True))
    return found


def messages(stack: Stack) -> dict[str, list[Any]]:
    """The messages that wait in the queues between functions."""
    return {queue: stack.messages(queue) for queue in _QUEUES}


def answers(stack: Stack) -> dict[str, Any]:
    """The API's responses about the data, by path."""
    app = stack.load("orders_api")
    hurry(app)
    orders = [one for one in stack.items("OrdersTable") if "order_id" in one]
    ids = {f"{one['connection']}:{one['order_id']}:{one['item_id']}" for one in orders}
    paths = [*_PATHS, *(f"/orders/{one}{rest}" for one in sorted(ids) for rest in ("", "/notices"))]
    return {path: _answer(app, path) for path in paths}


def _answer(app: Any, path: str) -> Any:
    answer = app.handler(http_event("GET", path, None, role="viewer", query={}), Context())
    assert answer["statusCode"] == 200, (path, answer)
    return json.loads(answer["body"])


def put(stack: Stack, recorded: Mapping[str, list[dict[str, Any]]]) -> None:
    """Store recorded items."""
    for table, stored in recorded.items():
        for item in stored:
            aws("dynamodb").put_item(TableName=stack.resources[table], Item=item)


def read_messages(stack: Stack, recorded: Mapping[str, list[Any]]) -> list[str]:
    """Pass recorded messages to the functions that read them; returns the ids of failed
    messages.
    """
    failed: list[str] = []
    for queue, waiting in recorded.items():
        app = stack.load(_QUEUES[queue])
        for number, body in enumerate(waiting):
            record = {
                "messageId": f"{queue}-{number}",
                "receiptHandle": "cmVjZWlwdCAx",
                "body": json.dumps(body),
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1772447400123"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
            }
            answer = app.handler({"Records": [record]}, Context())
            failed += [one["itemIdentifier"] for one in answer["batchItemFailures"]]
    return failed
