"""Saved views: built in, one's own and the team's."""

import pytest

from milepost.api.routes.views import filter_names
from milepost.queries.saved_views import MOST_VIEWS, NOT_SAVED, SYSTEM_VIEWS
from tests.unit.api.conftest import Desk, http_event, read_answer
from tests.unit.api.view_requests import put

WEEK = {"name": "My week", "filters": {"due": ["this_week"], "status": ["accepted", "scheduled"]}}


def names(desk: Desk) -> list[str]:
    listed = desk.ask("GET", "/views").body["views"]
    return [one["id"] for one in listed][len(SYSTEM_VIEWS) :]


def test_a_saved_view_is_ones_own_until_it_is_shared(desk: Desk) -> None:
    assert put(desk, "week", WEEK).status == 200
    assert put(desk, "theirs", WEEK, subject="another").status == 200
    assert put(desk, "ours", WEEK | {"shared": "team"}, subject="another").status == 200
    assert names(desk) == ["week", "ours"]
    listed = desk.ask("GET", "/views").body["views"]
    assert listed[-2] == {"id": "week", "shared": "own", **WEEK}


def test_a_view_that_is_shared_later_is_no_longer_ones_own(desk: Desk) -> None:
    put(desk, "week", WEEK)
    put(desk, "week", WEEK | {"shared": "team"})
    assert [one["shared"] for one in desk.ask("GET", "/views").body["views"]][-1] == "team"
    assert names(desk) == ["week"]


def test_a_view_is_deleted_and_those_built_in_stay(desk: Desk) -> None:
    put(desk, "week", WEEK)
    assert desk.ask("DELETE", "/views/week", role="operator").status == 204
    assert desk.ask("DELETE", "/views/week", role="operator").status == 404
    assert desk.ask("DELETE", "/views/overdue", role="operator").status == 409
    assert put(desk, "overdue", WEEK).status == 409


@pytest.mark.parametrize("name", sorted(NOT_SAVED | {"colour", "charlotte@example.com"}))
def test_what_may_name_a_customer_or_is_no_filter_is_not_kept(name: str, desk: Desk) -> None:
    answer = put(desk, "x", {"name": "x", "filters": {name: ["charlotte"]}})
    assert answer.status == 422
    assert desk.views.kept == {}


def test_nobody_keeps_more_than_so_many(desk: Desk) -> None:
    for number in range(MOST_VIEWS):
        put(desk, f"view-{number}", WEEK)
    assert put(desk, "one-more", WEEK).status == 409
    assert put(desk, "view-7", WEEK).status == 200


def test_every_built_in_view_has_filters_of_order_lists() -> None:
    assert {name for one in SYSTEM_VIEWS for name in one.filters} <= set(filter_names())


def test_a_narrowed_role_shares_no_view_and_sees_none_of_another_connection(desk: Desk) -> None:
    ours = {"name": "x", "shared": "team", "filters": {"connection": ["offergrid-home"]}}
    put(desk, "home", ours)
    listed = desk.ask("GET", "/views", role="viewer:rabot-energy").body["views"]
    assert "home" not in [one["id"] for one in listed]
    event = http_event("PUT", "/views/mine", role="operator:rabot-energy")
    event["body"] = '{"name": "x", "shared": "team", "filters": {"due": ["overdue"]}}'
    assert read_answer(desk.api.answer(event, None)).status == 403
