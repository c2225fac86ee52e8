"""Each route with each narrowed role: what belongs to another connection is not there.

A new route is tried as well. One with a parameter that isn't in ``OUTSIDE`` fails here until it is.
"""

from types import ModuleType
from typing import Any, Final

import pytest

from milepost.api.listings import LISTINGS
from milepost.api.routing import SUBJECTS, routers_of
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.notice import NoticeId
from milepost.notifications.subscription import Subscription
from tests.builders import KEY, OFFERGRID, RABOT, notice
from tests.integration.api_requests import EXPORT, a_mail, keep_export, kept
from tests.integration.operator_requests import http_event
from tests.stack import Context, Stack, aws

OTHER: Final = RABOT.id
TABLES: Final = (
    "OrdersTable",
    "NoticesTable",
    "PollsTable",
    "SearchTable",
    "ErasuresTable",
    "ExportsTable",
)
MAIL: Final = NoticeId.parse(notice().id).path_id
OUTSIDE: Final = {
    "order_id": KEY.path_id,
    "group_id": KEY.path_id.rpartition(":")[0],
    "notice": MAIL,
    "connection": OFFERGRID.id,
    "subscription": "theirs",
    "action": "note",
    "queue": "inbox",
    "message": "some-message",
    "customer": "0a1b2c3d4e5f6071",
    "suppression": "0a1b2c3d4e5f60710a1b2c3d4e5f6071",
    "view": "0a1b2c3d4e5f6071",
    "batch": "0a1b2c3d4e5f6071",
    "export": EXPORT,
}
"""By the name of a path's parameter: the id of something of a connection that isn't allowed."""
QUERIES: Final = {
    "GET /order-ids": {"order": KEY.path_id},
    "GET /customers": {"phone": "+61 491 570 737"},
}
BODIES: Final = {
    "POST /orders/<order_id>/actions/<action>": {"text": "rang them"},
    "PUT /subscriptions/<subscription>": {"email": "sales@example.org", "connections": [OTHER]},
    "PUT /views/<view>": {"name": "x", "shared": "team", "filters": {"due": ["overdue"]}},
    "POST /connections/<connection>/orders": {
        "rows": [{"order_id": "new", "item_id": "1", "status": "accepted", "since": "2026-03-01"}]
    },
    "POST /batches": {"action": "note", "text": "rang them", "orders": [KEY.path_id]},
    "POST /batches/<batch>/start": {"token": "token"},
    "POST /exports": {"list": "orders", "query": {"connection": OFFERGRID.id}},
    "POST /subscriptions": {"email": "new@example.org", "connections": [OFFERGRID.id]},
    "POST /quarantine/replay": {"connection": OFFERGRID.id},
}


def routes() -> list[str]:
    routers = [router for subject in SUBJECTS for router in routers_of(subject)]
    return sorted(
        f"{method} {one[0]}" for router in routers for one in router._routes for method in one[1]
    )


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    stack.apply(OFFERGRID, RABOT)
    a_mail(stack)
    table = SubscriptionsTable(aws("dynamodb"), table_name=stack.resources["NoticesTable"])
    ours, all_of_them = frozenset({OFFERGRID.id}), frozenset[str]()
    table.put(Subscription(id="theirs", recipient="sales@example.org", connections=ours))
    table.put(Subscription(id="all", recipient="all@example.org", connections=all_of_them))
    keep_export(stack)
    return stack.load("orders_api")


def path_of(route: str, outside: dict[str, str]) -> str:
    path = route.partition(" ")[2]
    for name, value in outside.items():
        path = path.replace(f"<{name}>", value)
    assert "<" not in path, f"{route}: say in OUTSIDE what this parameter names"
    return path


def state(stack: Stack) -> Any:
    items = {name: sorted(map(repr, stack.items(name))) for name in TABLES}
    return items | {"kept": stack.objects("QuarantineBucket")}


@pytest.mark.parametrize("role", [f"operator:{OTHER}", f"viewer:{OTHER}"])
def test_no_route_shows_or_changes_anything_of_a_connection_that_is_not_allowed(
    role: str, app: ModuleType, stack: Stack
) -> None:
    outside = OUTSIDE | {"kept": kept(stack, b"charlotte")}
    before, wrong = state(stack), []
    for route in routes():
        method, path = route.partition(" ")[0], path_of(route, outside)
        query = QUERIES.get(route, {})
        event = http_event(method, path, BODIES.get(route), role=role, query=query)
        answer = app.handler(event, Context())
        status, body = answer["statusCode"], answer.get("body") or ""
        is_shown = status < 300 and (OFFERGRID.id in body or KEY.order_id in body)
        if is_shown or status >= 500 or ("<" in route and status not in (403, 404)):
            wrong.append((route, status, body))
    assert wrong == []
    assert state(stack) == before


def test_no_list_as_a_file_has_a_row_of_a_connection_that_is_not_allowed(
    app: ModuleType, stack: Stack
) -> None:
    outside = OUTSIDE | {"kept": kept(stack, b"charlotte")}
    for route in LISTINGS:
        path = path_of(f"GET {route}", outside)
        for role, is_theirs in ((f"viewer:{OTHER}", False), (f"viewer:{OFFERGRID.id}", True)):
            event = http_event("GET", path, None, role=role, query={})
            event["headers"]["accept"] = "application/jsonl"
            answer = app.handler(event, Context())
            assert answer["statusCode"] in (200, 403, 404), route
            rows = answer["body"] if answer["statusCode"] == 200 else ""
            assert OFFERGRID.id not in rows or is_theirs, route
            if is_theirs and route in ("/orders", "/connections", "/quarantine", "/subscriptions"):
                assert OFFERGRID.id in rows, route


def test_the_same_routes_show_it_to_a_role_that_is_allowed(app: ModuleType) -> None:
    role = f"viewer:{OFFERGRID.id}"
    for path in ("/orders", "/connections", f"/orders/{KEY.path_id}", "/subscriptions"):
        answer = app.handler(http_event("GET", path, None, role=role, query={}), Context())
        assert answer["statusCode"] == 200
        assert OFFERGRID.id in answer["body"], path
        assert "all@example.org" not in answer["body"]
