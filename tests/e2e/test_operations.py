"""Operating the deployed stack: what went wrong is done after all, and a customer is erased."""

import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from milepost.orders.search_terms import customer_id_of_email
from tests.e2e.conftest import HOME, Client, status_changed, wait_for

pytestmark = pytest.mark.e2e


def api(
    client: Client, method: str, path: str, body: Any = None, *, role: str = "operator"
) -> tuple[int, Any]:
    """One request as somebody of this role."""
    headers = {
        "authorization": f"Bearer {client.stack.tokens[role]}",
        "content-type": "application/json",
    }
    data = None if body is None else json.dumps(body).encode()
    status, content = client.call(method, f"{client.stack.api_url}{path}", data, headers)
    return status, json.loads(content) if content else None


def quarantined(client: Client, needle: str) -> dict[str, Any] | None:
    """What is in the quarantine and has this text, as the API shows it."""
    status, listed = api(client, "GET", f"/quarantine?connection={HOME}&limit=100")
    assert status == 200, listed
    for one in listed["items"]:
        shown: dict[str, Any] = api(client, "GET", f"/quarantine/{one['id']}")[1]
        if needle in (shown["text"] or ""):
            return shown
    return None


@pytest.mark.thorough
def test_what_was_quarantined_is_recorded_by_a_replay_once_it_can_be_read(client: Client) -> None:
    order_id = client.new_id()
    soon = datetime.now(UTC) + timedelta(minutes=5, seconds=8)
    client.send(HOME, status_changed(order_id, "accepted", at=soon))
    kept = wait_for(lambda: quarantined(client, order_id), what=f"{order_id} in the quarantine")
    assert kept["reason"] == "dated more than 5 minutes ahead"

    def recorded() -> bool:
        if quarantined(client, order_id):
            status, _ = api(client, "POST", f"/quarantine/{kept['id']}/replay")
            assert status in (202, 404)
        return client.order(HOME, order_id, "item-1") is not None

    wait_for(recorded, what=f"{order_id} to be recorded")
    wait_for(lambda: quarantined(client, order_id) is None, what="it to leave the quarantine")
    assert client.announcements(order_id) == []


@pytest.mark.thorough
def test_a_dead_letter_is_recorded_and_told_by_a_redrive(client: Client) -> None:
    order_id = client.new_id()
    a_day_ago = datetime.now(UTC) - timedelta(days=1)
    body = json.dumps(status_changed(order_id, "accepted", at=a_day_ago)).encode()
    client.sqs.send_message(
        QueueUrl=client.stack.resource_id("InboxDeadLetters"),
        MessageBody=json.dumps(in_the_inbox(body, received=a_day_ago)),
    )
    status, listed = api(client, "GET", "/dead-letters", role="viewer")
    assert status == 200, listed
    assert {one["name"]: one["waiting"] for one in listed["items"]}["inbox"] == 1
    status, done = api(client, "POST", "/dead-letters/inbox/redrive")
    assert (status, done) == (200, {"moved": 1, "failed": [], "left": 0})
    client.wait_for_told(order_id, ["accepted"])


def in_the_inbox(body: bytes, *, received: datetime) -> dict[str, Any]:
    """A message as receive_webhook put it."""
    return {
        "connection": HOME,
        "delivery_id": "msg_of_long_ago",
        "received_at": received.timestamp(),
        "body": base64.b64encode(body).decode(),
    }


@pytest.mark.thorough
def test_what_could_not_be_announced_is_a_dead_letter_and_told_once_by_a_redrive(
    client: Client, unapplied: str
) -> None:
    told, untold = client.new_id(), client.new_id()
    client.send(HOME, status_changed(told, "accepted"))
    client.wait_for_told(told, ["accepted"])
    change_of_another_connection(client, told, untold, unapplied)
    letter = wait_for(lambda: unannounced(client, untold), what=f"a letter of {untold}", seconds=90)
    redrive = {"messages": [letter["id"]]}
    status, done = api(client, "POST", "/dead-letters/announce/redrive", redrive)
    assert (status, done["moved"], list(done["failed"][0])) == (200, 0, ["message", "reason"])
    assert client.announcements(untold) == []
    apply_like_home(client, unapplied)
    status, done = api(client, "POST", "/dead-letters/announce/redrive", redrive)
    assert (status, done["moved"], done["failed"]) == (200, 1, [])
    client.wait_for_told(untold, ["accepted"])
    assert unannounced(client, untold) is None
    status, done = api(client, "POST", "/dead-letters/announce/redrive", redrive)
    assert (status, done["moved"]) == (200, 0)
    client.settle()
    client.wait_for_told(untold, ["accepted"])


@pytest.fixture
def unapplied(client: Client) -> Iterator[str]:
    """A connection that nobody has applied yet."""
    connection = client.new_id("later")
    yield connection
    with suppress(ClientError):
        client.stack.client("ssm").delete_parameter(Name=parameter_of(client, connection))


def parameter_of(client: Client, connection: str) -> str:
    return f"{client.stack.outputs['ConnectionsPath']}/{connection}"


def apply_like_home(client: Client, connection: str) -> None:
    ssm = client.stack.client("ssm")
    found = ssm.get_parameter(Name=parameter_of(client, HOME))["Parameter"]["Value"]
    value = json.dumps({**json.loads(found), "id": connection})
    ssm.put_parameter(Name=parameter_of(client, connection), Value=value, Type="String")


def change_of_another_connection(client: Client, known: str, order_id: str, other: str) -> None:
    """The same change of an order there, as its last write left it."""
    item = client.order(HOME, known, "item-1")
    assert item is not None
    text = json.dumps(item).replace(HOME, other).replace(known, order_id)
    table = client.stack.resource_id("OrdersTable")
    client.stack.client("dynamodb").put_item(TableName=table, Item=json.loads(text))


def unannounced(client: Client, order_id: str) -> dict[str, Any] | None:
    """The letter of what could not be announced of this order, with the stream's whole record."""
    status, shown = api(client, "GET", "/dead-letters/announce?limit=50")
    assert status == 200, shown
    for letter in shown["messages"]:
        if order_id in json.dumps(letter["content"]):
            (record,) = letter["content"]["payload"]["Records"]
            assert record["dynamodb"]["NewImage"]["announce"]
            return dict(letter)
    return None


@pytest.mark.thorough
def test_an_erased_customer_leaves_a_tombstone_that_no_later_event_fills(client: Client) -> None:
    email = f"{client.new_id('c')}@example.com"
    customer = {"firstName": "Ottilie", "lastName": "Erlenkamp", "email": email, "phone": "1"}
    made = client.steer(HOME, "orders", {"customer": customer, "items": [{}]})
    order_id, item_id = made["orderId"], made["items"][0]["itemId"]
    client.poll(HOME)
    path = f"/customers/{customer_id_of_email(email)}"

    status, done = api(client, "DELETE", path)
    assert status == 200, done

    def erased() -> bool:
        # The search follows the stream, a moment behind the order: what it brings late is noted.
        client.stack.client("lambda").invoke(
            FunctionName=client.stack.outputs["FinishErasuresFunction"], Payload=b"{}"
        )
        return "erased_at" in (client.order(HOME, order_id, item_id) or {})

    wait_for(erased, what=f"{order_id} to be erased")
    client.send(HOME, status_changed(order_id, "accepted", item_id=item_id, notes="Erlenkamp"))
    client.settle()
    client.poll(HOME)
    kept = client.order(HOME, order_id, item_id)
    assert kept is not None
    assert "erased_at" in kept
    assert "Erlenkamp" not in str(kept)
    assert email not in str(kept)
    assert client.announcements(order_id) == []


@pytest.mark.thorough
def test_a_connection_shows_its_last_poll_and_webhook(client: Client) -> None:
    before = datetime.now(UTC) - timedelta(seconds=90)
    client.send(HOME, status_changed(client.new_id(), "pending"))
    status, _ = api(client, "POST", f"/connections/{HOME}/poll")
    assert status == 202

    def is_fresh() -> bool:
        _, shown = api(client, "GET", f"/connections/{HOME}", role="viewer")
        times = (shown["health"]["last_success_at"], shown["health"]["last_webhook_at"])
        return all(one and datetime.fromisoformat(one) >= before for one in times)

    wait_for(is_fresh, what="poll and webhook in the connection's health")
