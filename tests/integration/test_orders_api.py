"""orders_api: what is in the tables, asked for as an HTTP API does."""

import json
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

import pytest

from milepost.aws.dynamodb_items import to_item
from milepost.aws.figures_keys import counts_key
from milepost.common.status import Status
from milepost.orders.aws.table import OrdersTable
from milepost.orders.order import OrderKey
from milepost.orders.search_terms import customer_id_of_email
from milepost.queries.aws.search import lookup_keys, search_item
from milepost.queries.stage_durations import Counted
from tests.builders import OFFERGRID, report, tracked
from tests.stack import Context, Stack, aws

EMAIL = "lena.hoffmann@example.de"


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    stack.keep_secret("UnsubscribeSecret", {"key": "one of these tests' own"})
    return stack.load("orders_api")


def ask(app: ModuleType, path: str, **query: Any) -> tuple[int, Any]:
    event = {
        "rawPath": path,
        "rawQueryString": urlencode(query, doseq=True),
        "queryStringParameters": {
            name: ",".join(value) if isinstance(value, list) else str(value)
            for name, value in query.items()
        },
        "requestContext": {
            "http": {"method": "GET", "path": path},
            "authorizer": {
                "jwt": {"claims": {"sub": "s", "username": "lena", "cognito:groups": "[viewer]"}}
            },
        },
    }
    answer = app.handler(event, Context())
    return answer["statusCode"], json.loads(answer["body"])


def keep(stack: Stack, number: int, status: Status, **details: Any) -> OrderKey:
    """An order in the table, and found by what people know of it."""
    key = OrderKey(OFFERGRID.id, f"ord-{number}", "item-1")
    one = tracked(report(status, number, key=key, **details))
    dynamodb = aws("dynamodb")
    table = OrdersTable(dynamodb, table_name=stack.resources["OrdersTable"], connection=OFFERGRID)
    table.write(one, new=())
    counted = Counted(
        version=1,
        status=status,
        stages=(),
        reference=details.get("reference"),
        customer=customer_id_of_email(EMAIL),
    )
    for item_key in lookup_keys(counted, key):
        item = to_item(search_item(item_key, key))
        dynamodb.put_item(TableName=stack.resources["SearchTable"], Item=item)
    return key


def ids(page: Any) -> list[str]:
    return [one["order_id"] for one in page["orders"]]


def test_pages_follow_each_other_to_the_end(app: ModuleType, stack: Stack) -> None:
    for number in range(5):
        keep(stack, number, Status.ACCEPTED)
    found, cursor = [], {}
    while True:
        status, page = ask(app, "/orders", status="accepted", limit=2, **cursor)
        assert status == 200
        found += ids(page)
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert found == [f"ord-{number}" for number in range(5)]


def test_a_cursor_holds_for_its_own_filters_alone(app: ModuleType, stack: Stack) -> None:
    for number in range(3):
        keep(stack, number, Status.ACCEPTED)
    _, page = ask(app, "/orders", status="accepted", limit=2)
    status, problem = ask(app, "/orders", status=["accepted", "pending"], cursor=page["next"])
    assert (status, problem["title"]) == (400, "Bad Request")
    assert ask(app, "/orders", status="accepted", limit=100, cursor=page["next"])[0] == 200


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("R-7", ["ord-1"]),
        ("r-70", ["ord-1"]),
        (EMAIL.upper(), ["ord-2", "ord-1"]),
        ("someone@example.de", []),
        ("R-9", []),
    ],
)
def test_a_search_finds_open_and_closed_orders(
    q: str, expected: list[str], app: ModuleType, stack: Stack
) -> None:
    keep(stack, 1, Status.ACCEPTED, reference="R-7001")
    keep(stack, 2, Status.COMPLETED, reference="R-8001")
    assert ids(ask(app, "/orders", q=q)[1]) == expected


def test_a_search_for_several_words_finds_the_orders_that_have_all_of_them(
    app: ModuleType, stack: Stack
) -> None:
    for number, name in enumerate(("Lena Hoffmann", "Lena Vogel", "Jonas Hoffmann")):
        keep(stack, number, Status.ACCEPTED, customer={"name": name})
    stack.load("measure_stages").handler({"backfill": {}}, Context())
    assert ids(ask(app, "/orders", q="hoff lena")[1]) == ["ord-0"]
    assert ids(ask(app, "/orders", q="hoffmann vogel")[1]) == []


def test_what_a_search_finds_has_pages_too(app: ModuleType, stack: Stack) -> None:
    for number in range(3):
        keep(stack, number, Status.ACCEPTED)
    _, first = ask(app, "/orders", q=EMAIL, limit=2)
    _, second = ask(app, "/orders", q=EMAIL, limit=2, cursor=first["next"])
    assert (ids(first), ids(second)) == (["ord-0", "ord-1"], ["ord-2"])
    assert second["next"] is None


def test_counts_are_of_the_connections_that_are_asked_for(app: ModuleType, stack: Stack) -> None:
    counts = {"offergrid-home": {"accepted": 3}, "rabot-energy": {"accepted": 1, "pending": 2}}
    for name, statuses in counts.items():
        item = to_item({**counts_key(name), **statuses})
        aws("dynamodb").put_item(TableName=stack.resources["FiguresTable"], Item=item)
    assert ask(app, "/orders")[1]["counts"] == {"pending": 2, "accepted": 4}
    assert ask(app, "/orders", connection="offergrid-home")[1]["counts"] == {"accepted": 3}
    assert ask(app, "/orders", provider="rabot")[1]["counts"] == {"pending": 2, "accepted": 1}


def test_without_the_key_of_cursors_it_says_to_come_back(app: ModuleType, stack: Stack) -> None:
    aws("secretsmanager").delete_secret(
        SecretId=stack.resources["UnsubscribeSecret"], ForceDeleteWithoutRecovery=True
    )
    assert ask(app, "/orders", cursor="AAAA")[0] == 503


def test_an_order_is_shown_as_it_is_kept(app: ModuleType, stack: Stack) -> None:
    key = keep(stack, 1, Status.ACCEPTED, reference="R-7001")
    status, shown = ask(app, f"/orders/{key.path_id}")
    assert (status, shown["reference"], shown["provider"]) == (200, "R-7001", "offergrid")
    assert ask(app, f"/groups/{shown['group']}")[1]["code"] == "all_accepted"
