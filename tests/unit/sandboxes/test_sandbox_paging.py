"""Every order is on some page, whatever the provider's way to page."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.unit.sandboxes.conftest import Client, ask_for_token

AT = "2026-03-01T09:00:00.000Z"


def walk_cursors(client: Client, path: str, *, key: str, size: int) -> list[Any]:
    found: list[Any] = []
    cursor, separator = "", "&" if "?" in path else "?"
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        page = client.get(f"{path}{separator}limit={size}{more}")
        found += page[key]
        cursor = page["nextCursor"] if "nextCursor" in page else page["pagination"]["next_cursor"]
    return found


def test_offergrid_pages_hold_every_order_once_even_with_one_time_for_all(
    offergrid: Client,
) -> None:
    offergrid.create(count=500, at=AT)
    found = walk_cursors(offergrid, "/reseller/orders", key="orders", size=100)
    assert len(found) == len({order["orderId"] for order in found}) == 500


@pytest.mark.parametrize("size", [1, 7, 21, 100])
def test_offergrid_pages_end_rightly_whatever_their_size(offergrid: Client, size: int) -> None:
    offergrid.create(count=21, at=AT)
    assert len(walk_cursors(offergrid, "/reseller/orders", key="orders", size=size)) == 21


def test_offergrid_order_that_changes_during_the_walk_comes_again_and_hides_none(
    offergrid: Client,
) -> None:
    made = offergrid.create(count=30, at=AT)["orders"]
    first = offergrid.get("/reseller/orders?limit=10")
    offergrid.move(first["orders"][0]["orderId"], status="accepted")
    rest = walk_cursors(
        offergrid, f"/reseller/orders?cursor={first['nextCursor']}", key="orders", size=10
    )
    seen = [order["orderId"] for order in first["orders"] + rest]
    assert set(seen) == {order["orderId"] for order in made}
    assert seen.count(first["orders"][0]["orderId"]) == 2


def test_offergrid_status_filter_finds_orders_with_one_such_item(offergrid: Client) -> None:
    offergrid.create(count=40, at=AT)
    two = offergrid.create(items=[{}, {"status": "scheduled"}], at=AT)
    found = walk_cursors(offergrid, "/reseller/orders?status=scheduled", key="orders", size=5)
    assert [order["orderId"] for order in found] == [two["orderId"]]
    assert len(found[0]["items"]) == 2


def test_offergrid_updated_since_includes_that_very_moment(offergrid: Client) -> None:
    offergrid.create(count=3, at="2026-02-01T00:00:00Z")
    ahead = "2999-03-01T00:00:00.000Z"
    kept = offergrid.create(at=ahead)
    page = offergrid.get(f"/reseller/orders?updatedSince={ahead}")
    assert [order["orderId"] for order in page["orders"]] == [kept["orderId"]]
    assert page["nextCursor"] is None


@pytest.mark.parametrize("query", ["cursor=nonsense", "limit=0", "limit=x", "status=sold"])
def test_offergrid_refuses_a_query_that_makes_no_sense(offergrid: Client, query: str) -> None:
    answer = offergrid.call("GET", f"/reseller/orders?{query}")
    assert answer.status == 400
    assert answer.json()["error"] == "Bad Request"


def test_rabot_offsets_reach_every_order_newest_first(rabot: Client) -> None:
    rabot.create(count=25, at=AT)
    newest = rabot.create(at="2026-03-02T09:00:00Z")
    found: list[Any] = []
    more = True
    while more:
        page = rabot.get(f"/partner/v1/orders?offset={len(found)}")
        assert page["isSuccess"]
        assert page["count"] == len(page["data"]["orders"])
        found += page["data"]["orders"]
        more = page["hasMoreItems"]
    assert len({order["contractNumber"] for order in found}) == len(found) == 26
    assert found[0]["contractNumber"] == newest["contractNumber"]


def test_rabot_writes_times_of_berlin_without_a_zone(rabot: Client) -> None:
    order = rabot.create(at="2026-07-01T22:30:00Z")
    local = datetime(2026, 7, 1, 22, 30, tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin"))
    assert order["contractSignedAt"] == f"{local:%Y-%m-%d %H:%M:%S}"


def test_rabot_tokens_end_and_wrong_credentials_get_none(rabot: Client) -> None:
    assert rabot.call("GET", "/partner/v1/orders").status == 200
    rabot.steer("POST", "/clock", {"advance_seconds": 3_600})
    assert rabot.call("GET", "/partner/v1/orders").status == 401
    assert ask_for_token(rabot, client_secret="wrong") == {"error": "invalid_client"}
    assert ask_for_token(rabot)["expires_in"] == 3_599


def test_subs_pages_hold_every_request_and_an_unchanged_list_is_one_304(subs: Client) -> None:
    subs.create(count=60, at=AT)
    first = subs.call("GET", "/service-requests?per_page=25")
    pages = [subs.get(f"/service-requests?per_page=25&page={n}") for n in (1, 2, 3)]
    assert len({entry["id"] for page in pages for entry in page["data"]}) == 60
    assert {page["last_page"] for page in pages} == {3}
    tag = first.headers["ETag"]
    path = "/service-requests?per_page=25"
    again = subs.call("GET", path, If_None_Match=tag)
    assert (again.status, again.data) == (304, b"")
    subs.move(pages[2]["data"][0]["id"], status="Inspection Initiated")
    assert subs.call("GET", path, If_None_Match=tag).status == 200


def test_subs_updated_since_keeps_its_order_while_requests_change(subs: Client) -> None:
    made = subs.create(count=10, at=AT)["orders"]
    path = "/service-requests?updated_since=2026-03-01T00:00:00Z&per_page=5"
    first = subs.get(path)
    subs.move(first["data"][0]["id"], status="Inspection Initiated")
    second = subs.get(f"{path}&page=2")
    seen = {entry["id"] for entry in first["data"] + second["data"]}
    assert seen == {entry["id"] for entry in made}


def test_spirii_pages_hold_every_order_and_tell_the_limits(spirii: Client) -> None:
    spirii.create(count=60, at=AT)
    found = walk_cursors(spirii, "/v2/orders", key="data", size=25)
    assert len({order["id"] for order in found}) == len(found) == 60
    headers = spirii.call("GET", "/v2/orders").headers
    assert headers["X-RateLimit-Limit"] == "600"
    assert headers["X-RateLimit-Remaining"] == "596"
    assert int(headers["X-RateLimit-Reset"]) > 0


def test_spirii_refuses_the_write_beyond_120_a_minute_and_says_when_to_come_back(
    spirii: Client,
) -> None:
    id = spirii.create()["id"]
    path = f"/v2/orders/{id}/resend-confirmation"
    assert {spirii.call("POST", path).status for _ in range(120)} == {202}
    refused = spirii.call("POST", path)
    assert refused.status == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60


@pytest.mark.parametrize("name", ["offergrid", "rabot", "subs", "spirii"])
def test_nobody_gets_in_without_the_credential(name: str, request: pytest.FixtureRequest) -> None:
    client: Client = request.getfixturevalue(name)
    paths = {
        "offergrid": "/reseller/orders",
        "rabot": "/partner/v1/orders",
        "subs": "/service-requests",
        "spirii": "/v2/orders",
    }
    client.headers = dict.fromkeys(client.headers, "Bearer wrong")
    assert client.call("GET", paths[name]).status == 401
