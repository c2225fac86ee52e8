"""Every change that is made by a route is in the activity log, and nothing personal is."""

import re
from typing import Any

import pytest

from milepost.activity.entry import Entry, Outcome, Via, hash_of
from milepost.api.auth import READING
from milepost.api.change_recording import kind_of
from milepost.api.routing import SUBJECTS
from milepost.common.status import Status
from tests.builders import KEY, report, tracked
from tests.unit.api.conftest import Desk, http_event, read_answer

CUSTOMER = "charlotte.nguyen@example.com"
ONE_WORD = "[^/]+"


def changing_routes(desk: Desk) -> list[Any]:
    resolvers = [desk.api.resolver_of(subject) for subject in SUBJECTS]
    routes = [r for one in resolvers for r in (*one._static_routes, *one._dynamic_routes)]
    return [one for one in routes if one.method not in READING]


def only_entry(desk: Desk) -> Entry:
    (entry,) = desk.activity.entries.values()
    return entry


def test_every_route_that_changes_something_is_recorded() -> None:
    routes = changing_routes(Desk())
    assert len(routes) > 10
    forgotten = []
    for route in routes:
        desk = Desk()
        path = re.sub(r"<\w+>", "some-id", route.openapi_path.replace("{", "<").replace("}", ">"))
        desk.ask(route.method, path, role="operator", body={})
        kinds = [one.kind for one in desk.activity.entries.values()]
        forgotten += [(route.method, path)] if kinds != [kind_of(route)] else []
    assert forgotten == []


def test_a_change_says_who_made_it_of_what_and_from_where(desk: Desk) -> None:
    desk.orders.keep(tracked(report(Status.ACCEPTED)))
    event = http_event("POST", f"/orders/{KEY.path_id}/actions/note", role="operator")
    event["requestContext"]["http"]["sourceIp"] = "192.0.2.7"
    event["body"] = f'{{"text": "rang {CUSTOMER}"}}'
    desk.api.answer(event, None)
    entry = only_entry(desk)
    assert (entry.actor.person, entry.actor.subject) == ("lena", "5f0c-sub")
    assert (entry.address, entry.via, entry.at) == ("192.0.2.7", Via.API, desk.now)
    assert entry.targets == {
        "connection": KEY.connection,
        "order": KEY.path_id,
        "action": "note",
    }
    assert entry.connections == {KEY.connection}


def test_one_who_asks_by_the_command_is_recorded_so(desk: Desk) -> None:
    event = http_event("DELETE", "/subscriptions/x", role="operator")
    claims = event["requestContext"]["authorizer"]["jwt"]["claims"]
    claims |= {"sub": "aws:user/ops", "username": "user/ops"}
    desk.api.answer(event, None)
    assert (only_entry(desk).via, only_entry(desk).actor.person) == (Via.COMMAND, "user/ops")


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("GET", "/orders", "operator"),
        ("POST", "/subscriptions", "viewer"),
        ("POST", "/subscriptions", "nobody"),
        ("PUT", "/orders", "operator"),
        ("POST", "/what/is/not/there", "operator"),
    ],
)
def test_what_reads_and_what_no_route_takes_is_no_change(
    method: str, path: str, role: str, desk: Desk
) -> None:
    desk.ask(method, path, role=role)
    assert desk.activity.entries == {}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"/orders/{CUSTOMER}/actions/note", {"text": CUSTOMER, CUSTOMER: 1}),
        (f"/notices/{CUSTOMER}/resend", {"to": CUSTOMER}),
        (f"/quarantine/{CUSTOMER}/replay", {}),
        ("/orders/offergrid-home:x:y/actions/cancel", {"reason": CUSTOMER}),
    ],
)
def test_a_refused_change_says_so_and_keeps_nothing_that_was_typed(
    path: str, body: dict[str, Any], desk: Desk
) -> None:
    status = desk.ask("POST", path, role="operator", body=body).status
    entry = only_entry(desk)
    assert (entry.outcome, entry.status) == (Outcome.REFUSED, status)
    assert CUSTOMER not in repr(entry)


def test_the_entry_of_an_erasure_has_a_digest_of_the_customer(desk: Desk) -> None:
    desk.ask("DELETE", "/customers/0a1b2c3d4e5f6071", role="operator", query={"dry_run": "true"})
    entry = only_entry(desk)
    assert entry.kind == "erase_customer"
    assert entry.targets == {"customer": hash_of("0a1b2c3d4e5f6071")}
    assert "0a1b2c3d4e5f6071" not in repr(entry)


def test_a_change_that_cannot_be_noted_is_not_made(desk: Desk) -> None:
    desk.activity.starts_fail = True
    answer = desk.ask("POST", "/subscriptions", role="operator", body={"email": "a@example.org"})
    assert (answer.status, answer.headers["retry-after"]) == (503, "30")
    operations: Any = desk.api.services.operations
    assert operations.mock_calls == []


def test_a_change_stands_whose_entry_cannot_be_completed(desk: Desk) -> None:
    desk.activity.completions_fail = True
    answer = desk.ask("POST", "/subscriptions", role="operator", body={"email": ""})
    assert answer.status == 422
    assert only_entry(desk).outcome is Outcome.STARTED
    assert desk.failures == 1


def test_an_error_of_ours_is_recorded_as_failed(desk: Desk) -> None:
    desk.api.services.operations.subscriptions.get.side_effect = RuntimeError  # type: ignore[attr-defined]
    event = http_event("DELETE", "/subscriptions/x", role="operator")
    assert read_answer(desk.api.answer(event, None)).status == 500
    assert only_entry(desk).outcome is Outcome.FAILED


def test_activity_is_listed_by_what_is_asked_for(desk: Desk) -> None:
    for name in ("one", "two", "three"):
        desk.ask("DELETE", f"/subscriptions/{name}", role="operator")
    first = desk.ask("GET", "/activity", query={"kind": "delete_subscription", "limit": 2})
    rest = desk.ask(
        "GET",
        "/activity",
        query={"kind": "delete_subscription", "limit": 2, "cursor": first.body["next"]},
    )
    named = [one["targets"]["subscription"] for a in (first, rest) for one in a.body["entries"]]
    assert (sorted(named), rest.body["next"]) == (["one", "three", "two"], None)
    assert desk.ask("GET", "/activity", query={"person": "tom"}).body["entries"] == []
    assert (
        desk.ask("GET", "/activity", query={"from": "2026-03-02", "to": "2026-03-01"}).status == 422
    )
