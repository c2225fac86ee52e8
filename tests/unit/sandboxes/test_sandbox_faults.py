"""A fault that was asked for happens, as often as asked, where asked."""

import time
from typing import Any

import pytest
import urllib3

from local.sandboxes.fault_injection import FAULTS
from local.sandboxes.json_format import read_json
from tests.unit.sandboxes.conftest import HTTP, Client

LISTS = {
    "offergrid": "/reseller/orders?limit=2",
    "rabot": "/partner/v1/orders?limit=2",
    "subs": "/service-requests?per_page=2",
    "spirii": "/v2/orders?limit=2",
}
EVERY = pytest.mark.parametrize("name", list(LISTS))


@pytest.fixture
def client(name: str, request: pytest.FixtureRequest) -> Client:
    found: Client = request.getfixturevalue(name)
    found.create(count=5, at="2026-03-01T09:00:00Z")
    return found


def ask_for(client: Client, fault: str, **more: Any) -> None:
    client.steer("POST", "/faults", {"fault": fault, **more})


@EVERY
def test_a_500_happens_as_often_as_asked_and_no_more(client: Client, name: str) -> None:
    ask_for(client, "500", times=2)
    assert [client.call("GET", LISTS[name]).status for _ in range(3)] == [500, 500, 200]


@EVERY
def test_a_429_says_when_to_come_back(client: Client, name: str) -> None:
    ask_for(client, "429", retry_after=7)
    answer = client.call("GET", LISTS[name])
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")


@EVERY
def test_a_redirect_leads_to_another_host_which_notes_credentials(
    client: Client, name: str
) -> None:
    ask_for(client, "redirect")
    answer = client.call("GET", LISTS[name])
    assert answer.status == 302
    assert answer.headers["Location"] == client.sandboxes.elsewhere
    HTTP.request("GET", answer.headers["Location"], headers={"X-Api-Key": "leaked"})
    root = client.sandboxes.elsewhere.removesuffix("/orders")
    [stray] = read_json(HTTP.request("GET", root).data)["requests"]
    assert stray["has_credentials"]


@EVERY
def test_a_broken_page_is_no_json(client: Client, name: str) -> None:
    ask_for(client, "broken_page")
    answer = client.call("GET", LISTS[name])
    assert answer.status == 200
    with pytest.raises(ValueError, match=r"."):
        answer.json()


@EVERY
def test_a_dropped_request_gets_no_answer(client: Client, name: str) -> None:
    ask_for(client, "drop", on={"path": LISTS[name].partition("?")[0]})
    with pytest.raises(urllib3.exceptions.ProtocolError):
        client.call("GET", LISTS[name])


@EVERY
def test_slow_is_slow(client: Client, name: str) -> None:
    ask_for(client, "slow", seconds=0.3)
    started = time.monotonic()
    assert client.call("GET", LISTS[name]).status == 200
    assert time.monotonic() - started >= 0.3


@EVERY
def test_a_page_can_hold_every_order_twice(client: Client, name: str) -> None:
    ask_for(client, "duplicate", on={"page": 1})
    page = client.get(LISTS[name])
    key = "orders" if name == "offergrid" else "data"
    orders = page[key]["orders"] if name == "rabot" else page[key]
    assert len(orders) == 4
    assert orders[0] == orders[1]


def test_a_fault_on_page_2_leaves_page_1_alone(offergrid: Client) -> None:
    offergrid.create(count=5)
    ask_for(offergrid, "500", times=None, on={"page": 2})
    first = offergrid.call("GET", LISTS["offergrid"])
    assert first.status == 200
    cursor = first.json()["nextCursor"]
    second = offergrid.call("GET", f"{LISTS['offergrid']}&cursor={cursor}")
    assert second.status == 500


def test_rabots_failure_comes_with_200_and_no_orders(rabot: Client) -> None:
    rabot.create()
    ask_for(rabot, "is_success_false")
    answer = rabot.call("GET", "/partner/v1/orders")
    assert answer.status == 200
    assert answer.json()["isSuccess"] is False
    assert answer.json()["data"] is None


def test_rabots_token_is_gone_after_a_401(rabot: Client) -> None:
    ask_for(rabot, "401")
    assert [rabot.call("GET", "/partner/v1/orders").status for _ in range(2)] == [401, 401]


def test_endless_pages_never_end(offergrid: Client, rabot: Client) -> None:
    offergrid.create(count=3)
    ask_for(offergrid, "endless", times=None)
    cursors, cursor = set(), ""
    for _ in range(10):
        more = f"&cursor={cursor}" if cursor else ""
        cursor = offergrid.get(f"/reseller/orders?limit=2{more}")["nextCursor"]
        cursors.add(cursor)
    assert len(cursors) == 10
    ask_for(rabot, "endless", times=None)
    assert rabot.get("/partner/v1/orders?offset=5000")["hasMoreItems"] is True


def test_a_next_page_can_be_this_page_or_on_another_host(spirii: Client, subs: Client) -> None:
    spirii.create(count=5)
    first = spirii.get("/v2/orders?limit=2")["pagination"]["next_cursor"]
    ask_for(spirii, "self_next")
    path = f"/v2/orders?limit=2&cursor={first}"
    assert spirii.get(path)["pagination"]["next_cursor"] == first
    ask_for(spirii, "foreign_next", location="http://169.254.169.254/latest/meta-data")
    assert spirii.get(path)["pagination"]["next_cursor"].startswith("http://169.254")
    ask_for(subs, "foreign_next")
    page = subs.get("/service-requests")
    assert page["next"] == subs.sandboxes.elsewhere
    assert page["last_page"] == 2


def test_a_drifting_page_starts_later(rabot: Client) -> None:
    rabot.create(count=5)
    usual = rabot.get("/partner/v1/orders")["data"]["orders"]
    ask_for(rabot, "drift", by=2)
    assert rabot.get("/partner/v1/orders")["data"]["orders"] == usual[2:]


def test_cleared_faults_no_longer_happen(offergrid: Client) -> None:
    ask_for(offergrid, "500", times=None)
    offergrid.steer("DELETE", "/faults")
    assert offergrid.call("GET", "/reseller/orders").status == 200


@pytest.mark.parametrize("wrong", [{"fault": "flood"}, {"fault": "500", "times": 0}])
def test_a_fault_that_makes_no_sense_is_refused(offergrid: Client, wrong: Any) -> None:
    answer = offergrid.call("POST", "/_sandbox/faults", wrong)
    assert answer.status == 400
    assert answer.json()["error"]


def test_the_description_names_every_fault_status_and_call(offergrid: Client) -> None:
    page = offergrid.steer("GET", "")
    assert page["faults"].keys() == FAULTS.keys()
    assert "submitted_to_provider" in page["statuses"]
    assert "POST /_sandbox/faults" in page["sandbox"]
