"""A filter's value that doesn't exist is an error that names those that do, on every list."""

import re
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from milepost.activity.entry import Actor, Entry, Via
from milepost.common.status import Status
from milepost.queries.order_list import Page, Place, Wanted
from tests.builders import KEY
from tests.unit.api.conftest import Desk, Lists
from tests.unit.api.view_requests import put
from tests.unit.queries.listed_orders import listed

FREE_TEXT = {
    "/activity": {"person"},
    "/notices": {"reason", "recipient"},
    "/orders": {"customer", "place", "product", "q", "reference"},
    "/suppressions": {"address"},
}
"""Filters that compare text: whatever it is, there may be none."""
OF_FILES = {"bom", "columns"}


def test_no_list_is_empty_because_a_filter_has_a_value_that_does_not_exist(desk: Desk) -> None:
    paths = desk.ask("GET", "/openapi.json").body["paths"]
    lists = {path: one["get"] for path, one in paths.items() if "get" in one and "{" not in path}
    empty = {
        (path, one["name"])
        for path, said in lists.items()
        for one in said.get("parameters", ())
        if one["in"] == "query" and one["name"] not in OF_FILES | FREE_TEXT.get(path, set())
        if desk.ask("GET", path, query={one["name"]: "nope"}, role="operator").status
        not in (400, 404, 422)
    }
    assert len(lists) > 12
    assert empty == set()


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ({"kind": "nope"}, 422, "There is no kind nope; there are: add_subscription, "),
        ({"kind": "Perform_Action"}, 422, "There is no kind Perform_Action; there are: "),
        ({"kind": "perform_action "}, 422, "There is no kind perform_action ; there are: "),
        ({"connection": "gone"}, 422, "There is no connection gone; there are: "),
        ({"order": "no-such-reference"}, 404, "There is no order no-such-reference: "),
        ({"order": KEY.path_id}, 404, f"There is no order {KEY.path_id}: "),
    ],
)
def test_a_change_of_something_that_does_not_exist_is_an_error(
    query: dict[str, str], status: int, says: str, desk: Desk
) -> None:
    answer = desk.ask("GET", "/activity", query=query, role="operator")
    assert (answer.status, answer.body["detail"][: len(says)]) == (status, says)


def test_changes_of_kinds_orders_and_connections_that_exist_no_longer_are_listed(
    desk: Desk,
) -> None:
    entry = Entry(
        id="1",
        at=desk.now,
        actor=Actor(person="lena", subject="s"),
        kind="a_kind_of_before",
        via=Via.API,
        targets={"order": "gone:o:i"},
        connections=frozenset({"gone"}),
    )
    desk.activity.start(entry)
    for query in ({"kind": "a_kind_of_before"}, {"order": "gone/o/i"}, {"connection": "gone"}):
        listed = desk.ask("GET", "/activity", query=query, role="operator")
        assert [one["id"] for one in listed.body["entries"]] == ["1"]


@pytest.mark.parametrize(
    ("filters", "where"),
    [
        ({"status": ["nope"]}, "status"),
        ({"status": ["accepted", "Accepted"]}, "status"),
        ({"provider": ["nope"]}, "provider"),
        ({"connection": ["nope"]}, "connection"),
        ({"service_type": ["nope"]}, "service_type"),
        ({"attention": ["nope"]}, "attention"),
        ({"waiting": ["nope"]}, "waiting"),
        ({"raw_status": ["nope"]}, "raw_status"),
        ({"due": ["nope"]}, "due"),
        ({"due": ["this_week", "overdue"]}, "due"),
        ({"sort": ["nope"]}, "sort"),
        ({"fields": ["nope"]}, "fields"),
        ({"from": ["2026-02-30"]}, "from"),
    ],
)
def test_a_view_is_not_saved_with_a_value_that_does_not_exist(
    filters: dict[str, Any], where: str, desk: Desk
) -> None:
    answer = put(desk, "x", {"name": "x", "filters": filters})
    assert answer.status == 422
    assert re.match(rf"body\.filters\.{where}\b", answer.body["errors"][0]["where"])
    assert desk.views.kept == {}


WRONG = [
    ("provider", "nope"),
    ("connection", ["nope"]),
    ("service_type", "nope"),
    ("service_type", "Internet"),
    ("attention", "nope"),
    ("waiting", "nope"),
    ("raw_status", "nope"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_batch_by_filter_is_not_made_with_a_value_that_does_not_exist(
    name: str, value: Any, desk: Desk
) -> None:
    said = {"action": "note", "text": "x", "filter": {name: value}}
    answer = desk.ask("POST", "/batches", body=said, role="operator")
    assert (answer.status, answer.body["errors"][0]["where"]) == (422, f"body.filter.{name}")


def test_a_batch_of_notices_of_an_unknown_connection_is_refused(desk: Desk) -> None:
    said = {"action": "resend", "notice_filter": {"connection": ["nope"]}}
    answer = desk.ask("POST", "/batches", body=said, role="operator")
    assert answer.status == 422
    assert answer.body["errors"][0]["where"] == "body.notice_filter.connection"


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_an_export_is_not_started_with_a_value_that_does_not_exist(
    name: str, value: Any, desk: Desk
) -> None:
    said = {"list": "orders", "format": "csv", "query": {name: value}}
    answer = desk.ask("POST", "/exports", body=said)
    assert (answer.status, answer.body["errors"][0]["where"]) == (422, f"body.query.{name}")


@pytest.mark.parametrize("service_type", ["energy", "tv", "fibre"])
def test_a_service_type_that_is_documented_or_of_an_open_order_is_a_list_that_may_be_empty(
    service_type: str,
) -> None:
    # An order that is in its first stage is in no figure.
    of_all = (
        [listed("2026-03-05T09:00:00Z", service_type="fibre")] if service_type == "fibre" else []
    )
    desk = Desk(lists=AnyStatus(whole=Page(of_all, None)))
    answer = desk.ask("GET", "/orders", query={"service_type": service_type})
    assert (answer.status, answer.body.get("orders")) == (200, [])


def test_a_view_of_a_connection_since_removed_is_renamed(desk: Desk) -> None:
    said = {"name": "x", "filters": {"connection": [KEY.connection]}}
    assert put(desk, "x", said).status == 200
    del desk.connections.known[KEY.connection]
    assert put(desk, "x", said | {"name": "y", "shared": "team"}).status == 200
    assert put(desk, "x", said | {"filters": {"connection": [KEY.connection, "z"]}}).status == 422


def test_an_unknown_raw_status_is_an_error_that_names_those_of_each_provider(desk: Desk) -> None:
    answer = desk.ask("GET", "/orders", query={"raw_status": "nope"})
    assert answer.status == 422
    assert answer.body["errors"][0]["where"] == "query.raw_status"
    start = "No order has the raw status nope; those of the providers are: Offergrid: pending, "
    assert answer.body["detail"].startswith(start)


@dataclass
class AnyStatus(Lists):
    """Orders that only a list of every status has."""

    whole: Page = field(default_factory=lambda: Page([], None))

    def page(self, wanted: Wanted, **how: Any) -> Page:
        return self.whole if set(wanted.statuses) == set(Status) else super().page(wanted, **how)


@pytest.mark.parametrize("raw_status", ["in_progress", " In_Progress ", "handed over", "held back"])
def test_a_raw_status_that_is_documented_set_or_recorded_is_a_list_that_may_be_empty(
    raw_status: str,
) -> None:
    recorded = replace(listed("2026-03-05T09:00:00Z"), raw_status="Held back")
    of_all = [recorded] if raw_status == "held back" else []
    desk = Desk(lists=AnyStatus(whole=Page(of_all, None)))
    home = desk.connections.known[KEY.connection]
    desk.connections.known[KEY.connection] = replace(home, statuses={"Handed Over": "submitted"})
    answer = desk.ask("GET", "/orders", query={"raw_status": raw_status})
    assert (answer.status, answer.body.get("orders")) == (200, [])


def test_a_raw_status_is_no_error_while_there_are_more_orders_than_were_examined() -> None:
    desk = Desk(lists=AnyStatus(whole=Page([], Place("2026-03-01", "open#0", KEY))))
    assert desk.ask("GET", "/orders", query={"raw_status": "nope"}).status == 200
