"""Lists as files: by Accept, whole or page by page, with the rows that the list shows."""

import csv
import io
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from milepost.api.list_export import MOST_AT_ONCE, format_of
from milepost.api.listings import LISTINGS
from milepost.exports.files import Format
from milepost.queries.order_list import Place
from tests.builders import KEY, RABOT
from tests.unit.api.conftest import Desk, http_event
from tests.unit.queries.listed_orders import listed

ONE = listed("2026-03-05T09:00:00Z", facts={"customer": {"name": "=Nguyen"}})


def ask(desk: Desk, path: str, accept: str, *, role: str = "viewer", **query: Any) -> Any:
    event = http_event("GET", path, role=role, query=query)
    event["headers"] = {**event["headers"], "Accept": accept}
    return desk.api.answer(event, None)


def rows_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer["body"], newline="")))


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, None),
        ("*/*", None),
        ("application/json", None),
        ("text/html,application/xhtml+xml,*/*;q=0.8", None),
        ("text/csv", Format.CSV),
        ("Text/CSV; charset=utf-8", Format.CSV),
        ("text/csv, */*;q=0.1", Format.CSV),
        ("text/csv;q=0.2, application/jsonl;q=0.9", Format.JSON_LINES),
        ("application/x-ndjson", Format.JSON_LINES),
        ("application/json, text/csv;q=0.5", None),
        ("text/csv;q=0", None),
        ("text/csv;q=x", None),
    ],
)
def test_the_format_is_what_the_request_prefers(accept: str | None, chosen: Format | None) -> None:
    assert format_of(accept) is chosen


def test_a_list_is_csv_with_the_columns_of_the_list(desk: Desk) -> None:
    desk.lists.orders = [ONE]

    answer = ask(desk, "/orders", "text/csv", connection=KEY.connection)

    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"] == "text/csv; charset=utf-8"
    assert answer["headers"]["content-disposition"] == 'attachment; filename="orders.csv"'
    assert answer["headers"]["cache-control"] == "no-store"
    [row] = rows_of(answer)
    assert (row["id"], row["customer"]) == (ONE.key.path_id, "'=Nguyen")
    wanted, _, _ = desk.lists.asked[0]
    assert wanted.connections == {KEY.connection}


def test_a_file_has_the_columns_that_are_named(desk: Desk) -> None:
    desk.lists.orders = [ONE]

    named = ask(desk, "/orders", "text/csv", columns="since,id", bom="true")
    by_fields = ask(desk, "/orders", "text/csv", fields="customer,id")
    lines = ask(desk, "/orders", "application/jsonl", columns="id")

    assert named["body"].splitlines()[0] == "\ufeffsince,id"
    assert by_fields["body"].splitlines()[0] == "customer,customer_id,id"
    assert lines["body"] == json.dumps({"id": ONE.key.path_id}, separators=(",", ":")) + "\n"


def test_lines_of_json_are_the_rows_of_the_list(desk: Desk) -> None:
    desk.lists.orders = [ONE]
    shown = desk.ask("GET", "/orders").body["orders"]
    said = ask(desk, "/orders", "application/jsonl")["body"]
    assert [json.loads(line) for line in said.splitlines()] == shown


def test_the_whole_list_is_read_page_by_page_and_a_page_says_where_the_next_is(desk: Desk) -> None:
    class Pages:
        def __init__(self) -> None:
            self.left = 2

        def page(self, *_: Any, **asked: Any) -> Any:
            self.left -= 1
            page = type(desk.lists)(orders=[ONE])
            page.last = Place(ONE.next_date, "0", ONE.key) if self.left else None
            return page.page(*_, **asked)

        def read_facts(self, orders: Any) -> Any:
            return orders

    lists: Any = Pages()
    services = replace(desk.api.services, lists=lists)
    desk.api = replace(desk.api, services=services)
    assert len(rows_of(ask(desk, "/orders", "text/csv"))) == 2

    lists.left = 2
    first = ask(desk, "/orders", "text/csv", limit="1", status="accepted")
    assert len(rows_of(first)) == 1
    target, _, relation = first["headers"]["link"].partition(">")
    assert relation == '; rel="next"'
    following = urlsplit(target.removeprefix("<"))
    query = dict(parse_qsl(following.query))
    assert (following.path, query["status"], query["limit"]) == ("/orders", "accepted", "1")
    assert "link" not in ask(desk, following.path, "text/csv", **query)["headers"]


def test_a_page_of_a_file_may_have_a_thousand_rows(desk: Desk) -> None:
    ask(desk, "/orders", "text/csv", limit="1000")
    ask(desk, "/notices", "application/jsonl", limit="7")
    assert desk.lists.asked[0][2] == 1000
    assert desk.notice_lists.asked[0][2] == 7
    assert desk.ask("GET", "/orders", query={"limit": "1000"}).status == 422


def test_a_list_that_is_too_long_is_refused_with_what_to_do(desk: Desk) -> None:
    desk.lists.orders = [ONE] * (MOST_AT_ONCE + 1)
    answer = ask(desk, "/orders", "text/csv")
    assert answer["statusCode"] == 413
    assert "filters" in json.loads(answer["body"])["detail"]


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ({"columns": "id,phone"}, "query.columns"),
        ({"columns": ""}, "query.columns"),
        ({"bom": "yes please"}, "query.bom"),
        ({"nope": "1"}, "query.nope"),
        ({"limit": "0"}, "query.limit"),
        ({"limit": "1001"}, "query.limit"),
        ({"limit": "1\u0663"}, "query.limit"),
        ({"connection": "nope"}, "query.connection"),
    ],
)
def test_what_is_asked_wrongly_is_told_as_a_problem(
    desk: Desk, query: dict[str, str], where: str
) -> None:
    answer = ask(desk, "/orders", "text/csv", **query)
    assert answer["statusCode"] == 422
    assert json.loads(answer["body"])["errors"][0]["where"] == where


def test_as_json_a_list_takes_no_parameter_of_files(desk: Desk) -> None:
    answer = desk.ask("GET", "/orders", query={"columns": "id"})
    assert answer.status == 422
    assert "Accept: text/csv" in answer.body["detail"]


def test_a_narrowed_role_gets_a_file_of_its_own_connections(desk: Desk) -> None:
    desk.lists.orders = [ONE]
    ask(desk, "/orders", "text/csv", role=f"viewer:{RABOT.id}")
    wanted, _, _ = desk.lists.asked[0]
    assert wanted.connections == {RABOT.id}


def test_what_is_no_list_is_json_whatever_is_accepted(desk: Desk) -> None:
    answer = ask(desk, f"/orders/{KEY.path_id}", "text/csv")
    assert answer["statusCode"] == 404
    assert "detail" in json.loads(answer["body"])


def test_every_list_of_the_api_is_described_as_a_file_too(desk: Desk) -> None:
    paths = desk.ask("GET", "/openapi.json").body["paths"]
    lists = {path.replace("{", "<").replace("}", ">"): said for path, said in paths.items()}
    for path in LISTINGS:
        said = lists[path]["get"]
        assert {"application/json", "text/csv", "application/jsonl"} <= set(
            said["responses"]["200"]["content"]
        ), path
        assert {"bom", "columns"} <= {one["name"] for one in said["parameters"]}, path
    no_lists = {
        "/openapi.json",
        "/schemas/announcement.v1.json",
        "/orders/<order_id>",
        "/orders/<order_id>/tracking-link",
        "/order-ids",
        "/customers",
        "/subscriptions/<subscription>",
        "/connections/<connection>",
        "/exports/<export>",
        "/quarantine/<kept>",
    }
    assert {path for path, said in lists.items() if "get" in said} - set(LISTINGS) == no_lists
