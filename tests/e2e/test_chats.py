"""Slack and Teams on the deployed stack: subscribed by the API, posted, shown, explained."""

import json
from typing import Any

import pytest

from milepost.notifications.chat.addresses import webhook_name
from tests.e2e.api_client import Api
from tests.e2e.conftest import HOME, Client, status_changed, wait_for
from tests.e2e.notification_checks import wait_for_state

pytestmark = [pytest.mark.e2e, pytest.mark.thorough]


def posted(client: Client, platform: str, order_id: str) -> list[dict[str, Any]]:
    """What the platform's stand-in took of an order: its link has the order's id."""
    status, body = client.call("GET", f"{client.stack.chats_url}/messages.json")
    assert status == 200
    return [one for one in json.loads(body)[platform] if order_id in json.dumps(one)]


@pytest.mark.parametrize("platform", ["slack", "teams"])
def test_a_chat_that_is_subscribed_shows_what_happened_and_its_address_stays_secret(
    client: Client, platform: str
) -> None:
    api, url = Api(client), client.stack.chat_webhooks[platform]
    asked = {
        platform: url,
        "kinds": ["accepted"],
        "connections": [HOME],
        "owner": "kim@example.org",
    }
    token = api.token("operator")
    status, made = api.ask("POST", "/subscriptions", token, asked)
    assert status == 201, made
    try:
        assert (made["channel"], made["recipient"]) == (platform, webhook_name(url))
        assert url not in json.dumps(made)
        order_id = client.new_id("chat")
        client.send(HOME, status_changed(order_id, "accepted"))
        wait_for_state(client, order_id, made["recipient"], "delivered")
        [message] = wait_for(lambda: posted(client, platform, order_id), what="the message")
        assert f"{client.stack.api_url}/console/orders/" in json.dumps(message)
        page = client.call("GET", f"{client.stack.chats_url}/{platform}")[1].decode()
        assert order_id in page
        said = client.run(
            *("notices", "explain", order_id, "--to", made["id"]),
            *("--stack", client.stack.stack_name, "--json"),
        )
        assert said.returncode == 0, said.stderr
        [explained] = json.loads(said.stdout)["announcements"]
        assert explained["notice"]["state"] == "delivered"
        assert url not in said.stdout
    finally:
        assert api.ask("DELETE", f"/subscriptions/{made['id']}", token)[0] in (200, 204)
