"""A role that is narrowed to connections sees nothing of any other, whatever the route."""

from dataclasses import fields
from typing import Any, get_type_hints

import pytest

from milepost.api import narrowed_roles as roles
from milepost.api.auth import Role, allowed_connections, caller_of, check_operator
from milepost.api.dependencies import Services
from milepost.api.narrowed_roles import Closed, narrowed
from milepost.api.problems import Problem
from milepost.common.status import Status
from milepost.operations.services import Operations
from milepost.orders.order import OrderKey
from tests.builders import KEY, OFFERGRID, RABOT, report, tracked
from tests.unit.api.conftest import Desk, http_event

INSIDE = OrderKey(RABOT.id, "V-1", "V-1")
OUTSIDE = KEY
HAS_NO_PROTOCOL = {
    "cursor_keys",
    "requests",
    "clock",
    "narrowed_to",
    "rows_in_page",
    "allow_private_endpoints",
}


def caller(*groups: str) -> Any:
    event = http_event("GET", "/")
    claims = event["requestContext"]["authorizer"]["jwt"]["claims"]
    claims["cognito:groups"] = list(groups)
    return caller_of(event)


@pytest.mark.parametrize(
    ("groups", "reads", "changes"),
    [
        (["operator"], None, None),
        (["viewer"], None, set()),
        (["operator:a"], {"a"}, {"a"}),
        (["operator:a", "operator:b"], {"a", "b"}, {"a", "b"}),
        (["viewer:a", "operator:b"], {"a", "b"}, {"b"}),
        (["viewer", "operator:b"], None, {"b"}),
        (["operator", "operator:b"], None, None),
        (["viewer:a", "operator"], None, None),
        (["operator:a", "operator:", "others:c", "Operator:d"], {"a"}, {"a"}),
    ],
)
def test_several_groups_add_up(groups: list[str], reads: Any, changes: Any) -> None:
    who = caller(*groups)
    assert allowed_connections(who, "GET") == reads
    assert allowed_connections(who, "POST") == changes


@pytest.mark.parametrize("group", ["operator:", "viewer:", "operators:a", "operator a", ":a"])
def test_a_group_that_narrows_to_nothing_is_no_role(group: str) -> None:
    with pytest.raises(Problem, match="neither of the groups"):
        caller(group)


def test_what_operators_alone_see_is_for_those_of_its_connection() -> None:
    check_operator(caller("operator:a", "viewer:b"), connection="a")
    for who, connection in (
        (caller("operator:a", "viewer:b"), "b"),
        (caller("operator:a"), None),
        (caller("viewer"), "a"),
    ):
        with pytest.raises(Problem, match="operator"):
            check_operator(who, connection=connection)


@pytest.mark.parametrize(
    ("holder", "table"),
    [(Services, roles._SERVICES), (Operations, roles._OPERATIONS)],
)
def test_every_service_says_what_a_narrowed_role_sees_of_it(holder: Any, table: Any) -> None:
    names = {one.name for one in fields(holder)} - {"narrowed_to"}
    assert names == set(table)


def test_a_narrowed_service_has_all_that_its_protocol_has() -> None:
    for holder, table in (
        (Services, roles._SERVICES),
        (Operations, roles._OPERATIONS),
    ):
        known = {"Resender": Any, "Operations": Operations, "BatchPlanner": Any, "ExportDesk": Any}
        known["TrackingLinks"] = Any
        hints = get_type_hints(holder, localns=known)
        for name, narrow in table.items():
            if isinstance(narrow, type) and name not in HAS_NO_PROTOCOL:
                public = {one for one in dir(hints[name]) if not one.startswith("_")}
                assert public <= set(dir(narrow)), name


def test_a_service_that_nobody_thought_of_is_closed(desk: Desk) -> None:
    found = roles._narrow(desk.api.services, {}, frozenset({"a"}))
    assert {type(one) for one in found.values()} == {Closed}
    with pytest.raises(Problem, match="not limited"):
        found["orders"].read(KEY)
    with pytest.raises(Problem, match="not limited"):
        list(found["orders"])


def test_nobody_is_narrowed_who_holds_a_whole_role(desk: Desk) -> None:
    assert narrowed(desk.api.services, None) is desk.api.services


@pytest.mark.parametrize("role", [f"operator:{RABOT.id}", f"viewer:{RABOT.id}"])
def test_an_object_of_another_connection_is_not_there(role: str, desk: Desk) -> None:
    desk.orders.keep(
        tracked(report(Status.ACCEPTED, key=OUTSIDE)), tracked(report(Status.ACCEPTED, key=INSIDE))
    )
    for path in ("/orders/{}", "/orders/{}/notices"):
        assert desk.ask("GET", path.format(INSIDE.path_id), role=role).status == 200
        answer = desk.ask("GET", path.format(OUTSIDE.path_id), role=role)
        assert answer.status == 404
    group = OUTSIDE.path_id.rpartition(":")[0]
    assert desk.ask("GET", f"/groups/{group}", role=role).status == 404
    found = desk.ask("GET", "/order-ids", role=role, query={"order": OUTSIDE.order_id})
    assert found.status == 404


def test_lists_and_counts_are_of_the_connections_that_are_allowed(desk: Desk) -> None:
    desk.figures.kept = {
        OFFERGRID.id: {Status.ACCEPTED: 5},
        RABOT.id: {Status.ACCEPTED: 2},
    }
    role = f"viewer:{RABOT.id}"
    answer = desk.ask("GET", "/orders", role=role)
    assert answer.body["counts"] == {"accepted": 2}
    assert [wanted.connections for wanted, _, _ in desk.lists.asked] == [{RABOT.id}]
    outside = desk.ask("GET", "/orders", role=role, query={"connection": OFFERGRID.id})
    assert outside.status == 422
    assert f"there are: {RABOT.id}." in outside.body["detail"]


def test_an_action_on_an_order_of_another_connection_finds_no_order(desk: Desk) -> None:
    desk.orders.keep(tracked(report(Status.ACCEPTED, key=OUTSIDE)))
    path = f"/orders/{OUTSIDE.path_id}/actions/note"
    body = {"text": "x"}
    assert desk.ask("POST", path, role=f"operator:{RABOT.id}", body=body).status == 404
    assert desk.ask("POST", path, role=f"viewer:{OFFERGRID.id}", body=body).status == 403


def test_activity_of_another_connection_is_not_listed(desk: Desk) -> None:
    for one in (INSIDE, OUTSIDE):
        desk.ask("POST", f"/orders/{one.path_id}/actions/note", role="operator", body={})
    desk.ask("DELETE", "/subscriptions/some", role="operator")
    listed = desk.ask("GET", "/activity", role=f"viewer:{RABOT.id}").body["entries"]
    assert [one["targets"]["order"] for one in listed] == [INSIDE.path_id]
    assert len(desk.ask("GET", "/activity", role="viewer").body["entries"]) == 3


def test_roles_are_those_of_the_token() -> None:
    assert caller("operator:a").narrowed == {Role.OPERATOR: {"a"}}
