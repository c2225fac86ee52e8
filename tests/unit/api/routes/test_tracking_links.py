"""Links to the tracking page: made for who may see the order, revoked by operators."""

from dataclasses import replace
from datetime import timedelta

from milepost.common.status import Status
from milepost.connections.connection import TrackingPage
from milepost.tracking_page.link import TrackingLink, read_token
from tests.builders import KEY, NOON, OFFERGRID, report, tracked
from tests.unit.api.conftest import KEY as SIGNING
from tests.unit.api.conftest import Desk

PATH = f"/orders/{KEY.path_id}/tracking-link"


def with_a_page(desk: Desk) -> Desk:
    desk.orders.keep(tracked(report(Status.ACCEPTED)))
    page = TrackingPage(days=10)
    desk.connections.known[OFFERGRID.id] = replace(OFFERGRID, tracking=page)
    return desk


def test_a_viewer_gets_a_link_that_is_valid_for_the_days_of_the_connection(desk: Desk) -> None:
    answer = with_a_page(desk).ask("GET", PATH)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.body["order"] == KEY.path_id
    assert answer.body["expires"] == "2026-03-12T12:00:00Z"
    start, _, token = answer.body["path"].rpartition("/")
    assert start == "/track"
    expected = TrackingLink(key=KEY, version=0, expires=NOON + timedelta(days=10))
    assert read_token(token, [SIGNING]) == expected


def test_without_a_tracking_page_there_is_no_link_and_the_answer_says_what_to_set(
    desk: Desk,
) -> None:
    desk.orders.keep(tracked(report(Status.ACCEPTED)))
    answer = desk.ask("GET", PATH)
    assert answer.status == 409
    assert "set `tracking` in its settings" in answer.body["detail"]


def test_an_operator_revokes_links_and_it_is_recorded(desk: Desk) -> None:
    assert with_a_page(desk).ask("DELETE", PATH).status == 403
    assert desk.link_versions.current(KEY) == 0
    assert desk.ask("DELETE", PATH, role="operator").status == 204
    assert desk.link_versions.current(KEY) == round(NOON.timestamp() * 1_000)
    token = desk.ask("GET", PATH).body["path"].rpartition("/")[2]
    assert read_token(token, [SIGNING]).version == desk.link_versions.current(KEY)


def test_an_erased_order_has_no_link(desk: Desk) -> None:
    erased = replace(tracked(report(Status.ACCEPTED)), erased_at=NOON)
    with_a_page(desk).orders.keep(erased)
    for method in ("GET", "DELETE"):
        assert desk.ask(method, PATH, role="operator").status == 404
