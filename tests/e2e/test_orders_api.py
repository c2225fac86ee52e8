"""The deployed API: who gets in, and what they see of an order that really came by webhook."""

import time
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import pytest

from tests.e2e.api_client import Api
from tests.e2e.conftest import HOME, Client, status_changed, wait_for

KEPT = f"{HOME}:2026-03-01:{'0' * 32}"
"""The id of something that could lie in the quarantine."""


WRITES = {"post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def api(client: Client) -> Api:
    return Api(client)


@pytest.fixture(scope="module")
def strangers(api: Api) -> Iterator[Mapping[str, str | None]]:
    """Tokens that must open nothing, by what is wrong with them."""
    pool, ours = (api.client.stack.outputs[name] for name in ("PeoplePool", "PeopleClient"))
    api.cognito.admin_create_user(
        UserPoolId=pool,
        Username="tester",
        MessageAction="SUPPRESS",
        TemporaryPassword="Temporary-1-Temporary",
    )
    api.cognito.admin_add_user_to_group(UserPoolId=pool, Username="tester", GroupName="operator")
    flows = ["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
    other = api.cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="another audience", ExplicitAuthFlows=flows
    )["UserPoolClient"]["ClientId"]
    yield {
        "no token": None,
        "expired": _expired_token(api, pool, ours),
        "other audience": api.sign_in(other),
        "signature": api.token("operator")[:-8] + "AAAAAAAA",
    }
    api.cognito.admin_delete_user(UserPoolId=pool, Username="tester")
    api.cognito.delete_user_pool_client(UserPoolId=pool, ClientId=other)


def _expired_token(api: Api, pool: str, client_id: str) -> str:
    """A token of our own audience that held for a second: AWS gives none for under 5 minutes."""
    kept = api.cognito.describe_user_pool_client(UserPoolId=pool, ClientId=client_id)
    names = ("ExplicitAuthFlows", "AccessTokenValidity", "TokenValidityUnits")
    settings = {name: kept["UserPoolClient"][name] for name in names}
    units = {"AccessToken": "seconds"}
    brief = settings | {"AccessTokenValidity": 1, "TokenValidityUnits": units}
    try:
        api.cognito.update_user_pool_client(UserPoolId=pool, ClientId=client_id, **brief)
        token = api.sign_in(client_id)
    finally:
        api.cognito.update_user_pool_client(UserPoolId=pool, ClientId=client_id, **settings)
    ended = time.time() + 1
    wait_for(lambda: time.time() > ended + 1, what="the token to end")
    return token


def test_an_order_that_came_by_webhook_is_found_read_and_followed(api: Api, client: Client) -> None:
    order_id = client.new_id("api/é")
    client.send(HOME, status_changed(order_id, "submitted_to_provider"))
    client.send(HOME, status_changed(order_id, "accepted"))
    client.wait_for_told(order_id, ["accepted"])
    identity = f"{HOME}:{quote(order_id, safe='')}:item-1"
    shown = api.read(f"/orders/{quote(identity, safe=':')}")
    assert (shown["id"], shown["status"]) == (identity, "accepted")
    assert [one["status"] for one in shown["timeline"]] == ["submitted", "accepted"]
    assert {one["channel"] for one in shown["notices"]} == {"email", "sns"}
    group = api.read(f"/groups/{quote(shown['group'], safe=':')}")
    assert (group["code"], group["items"][0]["id"]) == ("all_accepted", identity)
    page = api.read(f"/orders?status=accepted&connection={HOME}&limit=100")
    assert identity in {one["id"] for one in page["orders"]}

    def is_counted() -> bool:
        counts = api.read(f"/orders?connection={HOME}&limit=1")["counts"]
        return bool(counts.get("accepted"))

    wait_for(is_counted, what="the order to be counted")
    mail = next(
        one for one in shown["notices"] if one["channel"] == "email" and one["state"] != "skipped"
    )
    path = f"/notices/{quote(mail['id'], safe=':')}/resend"
    assert api.ask("POST", path, api.token("viewer"))[0] == 403
    status, again = api.ask("POST", path, api.token("operator"))
    assert (status, again["requested_by"], again["resend_of"]) == (202, "operator", mail["id"])
    wait_for(lambda: len(client.mails(order_id)) == 2, what="the mail to come again")


@pytest.mark.thorough
def test_pages_of_the_deployed_list_show_each_order_once(api: Api, client: Client) -> None:
    mine = {client.new_id("page") for _ in range(9)}
    for order_id in mine:
        client.send(HOME, status_changed(order_id, "in_progress"))

    def listed() -> list[str]:
        found: list[str] = []
        cursor = ""
        while True:
            page = api.read(f"/orders?status=in_progress&connection={HOME}&limit=2{cursor}")
            found += [one["order_id"] for one in page["orders"]]
            if page["next"] is None:
                return found
            cursor = f"&cursor={page['next']}"

    wait_for(lambda: mine <= set(listed()), what="all orders to be listed")
    found = listed()
    assert mine <= set(found)
    assert len(found) == len(set(found))
    status, body = api.ask("GET", "/orders?cursor=AAAA", api.token("viewer"))
    assert (status, body["type"]) == (400, "urn:milepost:problem:bad-request")


@pytest.mark.thorough
@pytest.mark.parametrize("wrong", ["no token", "expired", "other audience", "signature"])
def test_no_route_opens_without_a_token_that_holds(
    wrong: str, api: Api, strangers: Mapping[str, str | None]
) -> None:
    answers = {
        (method, path): api.ask(method.upper(), path, strangers[wrong])[0]
        for method, path in [*_routes(api), ("get", "/nothing/here"), ("post", "/openapi.json")]
    }
    assert answers == dict.fromkeys(answers, 401)


@pytest.mark.thorough
def test_each_route_lets_viewers_read_and_only_operators_write(api: Api) -> None:
    let_in = {}
    for method, path in _routes(api):
        for role in ("viewer", "operator"):
            status, _ = api.ask(method.upper(), path, api.token(role))
            let_in[method, path, role] = status not in (401, 403)
    opened_to_operators = {one for one in let_in if one[2] == "operator"}
    assert all(let_in[one] for one in opened_to_operators)
    writes = {one: let_in[one] for one in let_in if one[0] in WRITES and one[2] == "viewer"}
    # An export changes nothing: it is a file of what a viewer may read.
    assert {one[:2] for one, is_let_in in writes.items() if is_let_in} == {("post", "/exports")}
    reads = {one: let_in[one] for one in let_in if one[0] == "get" and one[2] == "viewer"}
    for_operators = {one[:2] for one, is_let_in in reads.items() if not is_let_in}
    assert for_operators == {("get", f"/quarantine/{KEPT}"), ("get", "/dead-letters/none")}


def _routes(api: Api) -> list[tuple[str, str]]:
    """Each method and path of the API's own description, with ids of nothing filled in."""
    ids = {
        "order_id": f"{HOME}:no:item",
        "group_id": f"{HOME}:no",
        "notice": f"{HOME}:no:item:1:email:0a1b2c3d4e5f",
        "action": "note",
        "kept": KEPT,
    }
    document = api.read("/openapi.json")
    routes = []
    for path, methods in document["paths"].items():
        filled = path
        while "{" in filled:
            name = filled.partition("{")[2].partition("}")[0]
            filled = filled.replace(f"{{{name}}}", ids.get(name, "none"))
        routes += [(method, filled) for method in methods]
    return routes
