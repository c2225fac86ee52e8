"""Checks of notifications in the deployed stack: subscriptions, the log, the inboxes."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from milepost.common.timestamps import format_instant
from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.notice import Channel
from milepost.notifications.subscription import Subscription
from milepost.orders.order import OrderKey
from tests.e2e.own_connections import HOME
from tests.e2e.waiting import wait_for

if TYPE_CHECKING:
    from tests.e2e.conftest import Client

HOOKS = ("hook-1", "hook-2", "hook-3")
ENDPOINT_SECRET = "whsec_c2VjcmV0LW9mLXRoZS1lbmRwb2ludA=="


@dataclass
class Subscriptions:
    """Subscriptions of one test, deleted after it."""

    client: "Client"
    ids: list[str] = field(default_factory=list)

    @property
    def table(self) -> SubscriptionsTable:
        return SubscriptionsTable(
            self.client.stack.client("dynamodb"),
            table_name=self.client.stack.resource_id("NoticesTable"),
        )

    def add(self, *, identity: str | None = None, **values: Any) -> Subscription:
        identity = identity or self.client.new_id("sub")
        values.setdefault("recipient", f"{identity}@example.org")
        subscription = Subscription(id=identity, **values)
        self.table.put(subscription)
        self.ids.append(identity)
        return subscription

    def add_endpoint(self, url: str, **values: Any) -> Subscription:
        """An endpoint's subscription, with a signing secret."""
        # All secrets at once: call_endpoint looks for a new one at most every 30 seconds.
        store = self.client.stack.client("secretsmanager")
        arn = self.client.stack.outputs["EndpointSecretsArn"]
        secrets = json.loads(store.get_secret_value(SecretId=arn)["SecretString"])
        if not secrets.keys() >= set(HOOKS):
            secrets |= dict.fromkeys(HOOKS, ENDPOINT_SECRET)
            store.put_secret_value(SecretId=arn, SecretString=json.dumps(secrets))
        identity = next(hook for hook in HOOKS if hook not in self.ids)
        return self.add(identity=identity, channel=Channel.HTTPS, recipient=url, **values)

    def forget(self) -> None:
        for identity in self.ids:
            self.table.delete(identity)


def log_of(
    client: "Client", order_id: str, connection: str = HOME, item_id: str = "item-1"
) -> list[dict[str, Any]]:
    """The delivery log's entries of an order."""
    table = NoticesTable(
        client.stack.client("dynamodb"), table_name=client.stack.resource_id("NoticesTable")
    )
    return table.of_order(OrderKey(connection, order_id, item_id))


def entry_for(client: "Client", order_id: str, recipient: str, connection: str = HOME) -> Any:
    """The last entry of an order for one recipient."""
    found = [e for e in log_of(client, order_id, connection) if e.get("recipient") == recipient]
    return found[-1] if found else None


def wait_for_state(
    client: "Client", order_id: str, recipient: str, state: str, connection: str = HOME
) -> dict[str, Any]:
    """Wait until the last notice of an order to a recipient is in this state; returns its entry."""

    def arrived() -> dict[str, Any] | None:
        entry = entry_for(client, order_id, recipient, connection)
        return entry if entry and entry["state"] == state else None

    return wait_for(
        arrived,
        what=f"the notice of {order_id} to be {state}",
        show=lambda: entry_for(client, order_id, recipient, connection),
    )


def wait_for_attempts(
    client: "Client", order_id: str, recipient: str, attempts: int
) -> dict[str, Any]:
    """Wait until this number of attempts has failed and none is in progress; returns the log's
    entry.
    """

    def tried() -> dict[str, Any] | None:
        entry = entry_for(client, order_id, recipient) or {}
        is_settled = "claimed_until" not in entry
        return entry if int(entry.get("attempts", 0)) == attempts and is_settled else None

    return wait_for(
        tried,
        what=f"{attempts} failed tries of {order_id}",
        show=lambda: entry_for(client, order_id, recipient),
    )


def mails_to(client: "Client", recipient: str) -> Sequence[Mapping[str, Any]]:
    """The mails to an address, the oldest first."""
    return [mail for mail in reversed(client.stack.mails()) if recipient in mail["to"]]


def release(client: "Client", *, hours: float) -> None:
    """Make everything that is due in the next hours due now."""
    until = (datetime.now(UTC) + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")
    client.stack.client("lambda").invoke(
        FunctionName=client.stack.outputs["ReleaseNoticesFunction"],
        Payload=json.dumps({"until": until}),
    )


def charge_box_order(client: "Client", status: str, **fields: Any) -> dict[str, Any]:
    """An order of Spirii, created by its sandbox without sending a webhook."""
    made: dict[str, Any] = client.steer("spirii-charge", "orders", {"webhook": False, **fields})
    now = format_instant(datetime.now(UTC))
    moved = {"status": status, "status_changed_at": now, "updated_at": now}
    return {**made, **moved, "activation_appointment": "2030-03-12T02:00:00Z"}


def charge_box_event(order: Mapping[str, Any]) -> dict[str, Any]:
    """Spirii's event of an order, dated now."""
    dated = {**order, "updated_at": format_instant(datetime.now(UTC))}
    return {
        "event": "order.updated",
        "created_at": dated["updated_at"],
        "data": {"order": dated},
    }


def subscribe_queue(client: "Client", policy: Mapping[str, Sequence[str]]) -> str:
    """Subscribe a queue to the topic, like the README's example; returns its URL."""
    url: str = client.sqs.create_queue(QueueName=client.new_id("subscriber"))["QueueUrl"]
    asked = client.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = asked["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    allowed = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": allowed})
    client.stack.client("sns").subscribe(
        TopicArn=client.stack.outputs["AnnouncementsTopicArn"],
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"FilterPolicy": json.dumps(policy)},
    )
    return url


def announced_to(client: "Client", queue_url: str) -> list[dict[str, Any]]:
    """The messages that a subscribed queue has received."""
    found = []
    while messages := client.sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get(
        "Messages"
    ):
        found += [json.loads(json.loads(one["Body"])["Message"]) for one in messages]
        for one in messages:
            client.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=one["ReceiptHandle"])
    return found


class Receiver:
    """A team's own endpoint, which fails as often as it is told to."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.failures = 0
        self.failure = 500
        self.location: str | None = None
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.received.append((dict(self.headers), body))
                receiver.failures -= 1
                self.send_response(receiver.failure if receiver.failures >= 0 else 204)
                if receiver.location:
                    self.send_header("location", receiver.location)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
