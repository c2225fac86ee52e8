"""The right message to the right person, once, and a log that proves it: on the deployed stack."""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from milepost.aws.items import from_item
from milepost.aws.notice_messages import notice_message
from milepost.aws.notices_table import NoticesTable
from milepost.aws.orders_table import tracked_order
from milepost.aws.subscriptions_table import SubscriptionsTable
from milepost.notices import Audience, Channel, Notice
from milepost.order import OrderKey
from milepost.signatures import STANDARD_WEBHOOKS, verify
from milepost.subscriptions import Mode, QuietHours, Subscription
from tests.e2e.conftest import HOME, SHOP, Client, status_changed, wait_for

pytestmark = pytest.mark.e2e


@pytest.fixture
def subscriptions(client: Client) -> Iterator["Subscriptions"]:
    made = Subscriptions(client)
    yield made
    made.forget()


@dataclass
class Subscriptions:
    client: Client
    ids: list[str] = field(default_factory=list)

    @property
    def table(self) -> SubscriptionsTable:
        return SubscriptionsTable(
            self.client.stack.client("dynamodb"),
            table_name=self.client.stack.resource_id("NoticesTable"),
        )

    def add(self, **values: Any) -> Subscription:
        identity = self.client.new_id("sub")
        values.setdefault("recipient", f"{identity}@example.org")
        subscription = Subscription(id=identity, **values)
        self.table.put(subscription)
        self.ids.append(identity)
        return subscription

    def forget(self) -> None:
        for identity in self.ids:
            self.table.delete(identity)


def log_of(client: Client, order_id: str, connection: str = HOME) -> list[dict[str, Any]]:
    table = NoticesTable(
        client.stack.client("dynamodb"), table_name=client.stack.resource_id("NoticesTable")
    )
    return table.of_order(OrderKey(connection, order_id, "item-1"))


def entry_for(client: Client, order_id: str, recipient: str, connection: str = HOME) -> Any:
    found = [e for e in log_of(client, order_id, connection) if e.get("recipient") == recipient]
    return found[-1] if found else None


def wait_for_state(
    client: Client, order_id: str, recipient: str, state: str, connection: str = HOME
) -> dict[str, Any]:
    def arrived() -> dict[str, Any] | None:
        entry = entry_for(client, order_id, recipient, connection)
        return entry if entry and entry["state"] == state else None

    return wait_for(
        arrived,
        what=f"the notice of {order_id} to be {state}",
        show=lambda: entry_for(client, order_id, recipient, connection),
    )


def mails_to(client: Client, recipient: str) -> list[Mapping[str, Any]]:
    return [mail for mail in reversed(client.stack.mails()) if recipient in mail["to"]]


def release(client: Client, *, hours: int) -> None:
    """Let what is due in the next hours be due now."""
    until = (datetime.now(UTC) + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")
    client.stack.client("lambda").invoke(
        FunctionName=client.stack.outputs["ReleaseNoticesFunction"],
        Payload=json.dumps({"until": until}),
    )


def test_an_hourly_subscriber_gets_one_digest_of_all_that_happened(
    client: Client, subscriptions: Subscriptions
) -> None:
    hourly = subscriptions.add(mode=Mode.HOURLY)
    orders = [client.new_id() for _ in range(3)]
    for order_id in orders:
        client.send(HOME, status_changed(order_id, "accepted"))
    for order_id in orders:
        assert "due_at" in wait_for_state(client, order_id, hourly.recipient, "queued")
    assert mails_to(client, hourly.recipient) == []
    release(client, hours=2)
    for order_id in orders:
        wait_for_state(client, order_id, hourly.recipient, "delivered")
    (digest,) = mails_to(client, hourly.recipient)
    assert all(order_id in digest["text"] for order_id in orders)


def test_quiet_hours_hold_what_can_wait_and_let_a_rejection_pass(
    client: Client, subscriptions: Subscriptions
) -> None:
    now = datetime.now(UTC)
    quiet = subscriptions.add(
        time_zone="UTC",
        quiet_hours=QuietHours(
            start=(now - timedelta(hours=1)).time().replace(microsecond=0),
            end=(now + timedelta(hours=3)).time().replace(microsecond=0),
            passing=frozenset({"rejected"}),
        ),
    )
    waiting, urgent = client.new_id("waiting"), client.new_id("urgent")
    client.send(HOME, status_changed(waiting, "accepted"))
    client.send(HOME, status_changed(urgent, "rejected", notes="No coverage at this address"))
    wait_for_state(client, urgent, quiet.recipient, "delivered")
    assert wait_for_state(client, waiting, quiet.recipient, "queued")["due_at"]
    release(client, hours=4)
    wait_for_state(client, waiting, quiet.recipient, "delivered")
    assert len(mails_to(client, quiet.recipient)) == 2


@pytest.mark.thorough
def test_a_storm_becomes_a_few_mails_and_one_digest(
    client: Client, subscriptions: Subscriptions
) -> None:
    stormy = subscriptions.add(connections=frozenset({SHOP}))
    orders = [client.new_id("storm") for _ in range(9)]
    for order_id in orders:
        client.send(SHOP, status_changed(order_id, "accepted"))
    for order_id in orders:
        wait_for(lambda o=order_id: entry_for(client, o, stormy.recipient, SHOP), what=order_id)
    release(client, hours=2)
    for order_id in orders:
        wait_for_state(client, order_id, stormy.recipient, "delivered", SHOP)
    mails = mails_to(client, stormy.recipient)
    assert len(mails) == 4
    assert sum(order_id in mail["text"] for mail in mails for order_id in orders) == 9


def test_the_customer_is_told_where_the_connection_says_so_and_the_log_says_why_not_elsewhere(
    client: Client,
) -> None:
    own = client.new_id("customer")
    for minute, status in enumerate(("accepted", "completed")):
        at = datetime.now(UTC) - timedelta(minutes=10 - minute)
        client.send(SHOP, status_changed(own, status, at=at))
        client.wait_for_status(SHOP, own, "item-1", status)

    def explained() -> bool:
        reasons = {
            entry["kind"]: entry.get("reason")
            for entry in log_of(client, own, SHOP)
            if entry["audience"] == Audience.CUSTOMER
        }
        return reasons == {
            "accepted": f"customer notices of kind accepted are off for {SHOP}",
            "completed": "no email address",
        }

    wait_for(explained, what="the log to say why the customer was not told")


def test_a_hard_bounce_suppresses_the_address_and_the_log_says_so(
    client: Client, subscriptions: Subscriptions
) -> None:
    bouncing = subscriptions.add(recipient="bounce+e2e@simulator.amazonses.com")
    first, second = client.new_id(), client.new_id()
    client.send(HOME, status_changed(first, "accepted"))
    wait_for_state(client, first, bouncing.recipient, "bounced")
    client.send(HOME, status_changed(second, "accepted"))
    entry = wait_for_state(client, second, bouncing.recipient, "suppressed")
    assert "bounced" in entry["reason"]


def test_one_click_in_a_real_mail_ends_the_subscription(
    client: Client, subscriptions: Subscriptions
) -> None:
    leaving = subscriptions.add()
    first, second = client.new_id(), client.new_id()
    client.send(HOME, status_changed(first, "accepted"))
    wait_for_state(client, first, leaving.recipient, "delivered")
    (mail,) = mails_to(client, leaving.recipient)
    link = mail["headers"]["List-Unsubscribe"].strip("<>")
    assert mail["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert client.call("GET", link)[0] == 200
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert client.call("POST", link, b"List-Unsubscribe=One-Click", form)[0] == 200
    client.send(HOME, status_changed(second, "accepted"))
    entry = wait_for_state(client, second, leaving.recipient, "skipped")
    assert entry["reason"].startswith("unsubscribed on ")
    assert len(mails_to(client, leaving.recipient)) == 1


@pytest.mark.thorough
def test_a_forged_unsubscribe_link_ends_nothing(client: Client) -> None:
    link = f"{client.stack.api_url}/unsubscribe/1.eyJzIjpbInN1YiJdfQ.AAAA"
    assert client.call("POST", link, b"List-Unsubscribe=One-Click")[0] in (400, 404)


class Receiver:
    """An endpoint of a team's own, which fails as often as it is told to."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.failures = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.received.append((dict(self.headers), body))
                receiver.failures -= 1
                self.send_response(500 if receiver.failures >= 0 else 204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_an_endpoint_gets_signed_json_and_is_tried_again_after_a_failure(
    client: Client, subscriptions: Subscriptions, receiver: Receiver
) -> None:
    receiver.failures = 1
    hook = subscriptions.add(channel=Channel.HTTPS, recipient=receiver.url)
    secret = "whsec_" + "c2VjcmV0LW9mLXRoZS1lbmRwb2ludA=="
    store = client.stack.client("secretsmanager")
    arn = client.stack.outputs["EndpointSecretsArn"]
    store.put_secret_value(SecretId=arn, SecretString=json.dumps({hook.id: secret}))
    order_id = client.new_id()
    client.send(HOME, status_changed(order_id, "accepted"))
    wait_for_state(client, order_id, receiver.url, "delivered")
    assert len(receiver.received) == 2
    headers, body = receiver.received[-1]
    now = float(headers["webhook-timestamp"])
    verify(STANDARD_WEBHOOKS, headers=headers, body=body, secrets=[secret], now=now)
    assert json.loads(body)["order_id"] == order_id
    assert headers["webhook-id"] == receiver.received[0][0]["webhook-id"]


@pytest.mark.thorough
def test_redelivering_every_queue_and_stream_message_changes_no_inbox(client: Client) -> None:
    order_id = client.new_id()
    client.send(HOME, status_changed(order_id, "accepted"))
    client.wait_for_told(order_id, ["accepted"])
    item = client.order(HOME, order_id, "item-1")
    assert item is not None
    record = {
        "eventID": "1",
        "eventName": "MODIFY",
        "dynamodb": {"SequenceNumber": "1", "NewImage": item},
    }
    tracked = tracked_order(from_item(item))
    notice = Notice(
        key=tracked.order.key,
        announcement=tracked.announced[0],
        channel=Channel.EMAIL,
        recipient="kim@example.org",
    )
    functions, prefix = client.stack.client("lambda"), client.stack.stack_name
    message = {"messageId": "1", "receiptHandle": "1", "body": json.dumps(notice_message(notice))}
    for _ in range(2):
        for name, event in {
            "announce": {"Records": [record]},
            "send-notice": {"Records": [{**message, "eventSource": "aws:sqs", "attributes": {}}]},
        }.items():
            answer = functions.invoke(FunctionName=f"{prefix}-{name}", Payload=json.dumps(event))
            assert json.loads(answer["Payload"].read()) == {"batchItemFailures": []}
    client.settle()
    client.wait_for_told(order_id, ["accepted"])


def test_hostile_notes_come_out_as_inert_text(client: Client) -> None:
    order_id = client.new_id()
    notes = "<script>alert(1)</script> {{ 7 * 7 }}\r\nBcc: everybody@example.org"
    client.send(HOME, status_changed(order_id, "rejected", notes=notes))
    client.wait_for_told(order_id, ["rejected"])
    (mail,) = client.mails(order_id)
    assert "<script>" not in mail["html"]
    assert "{{ 7 * 7 }}" in mail["text"]
    assert mail["to"] == ["kim@example.org"]
    assert "Bcc" not in mail["headers"]


def test_the_log_says_of_every_notice_what_became_of_it(client: Client) -> None:
    order_id = client.new_id()
    client.send(HOME, status_changed(order_id, "accepted"))
    client.wait_for_told(order_id, ["accepted"])
    wait_for_state(client, order_id, "kim@example.org", "delivered")
    said = {(e["channel"], e["audience"]): e["state"] for e in log_of(client, order_id)}
    assert said == {
        ("email", "team"): "delivered",
        ("sns", "team"): "sent",
        ("email", "customer"): "skipped",
    }
