"""A deployed local stack for the whole session, and a client that controls it."""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from local.files import Places
from local.stack import Stack, running_stack
from tests.e2e.notification_checks import Subscriptions
from tests.e2e.own_connections import CHARGE, HOME, SHOP, TEXTS, declaration, described
from tests.e2e.waiting import PATIENCE_SECONDS, wait_for
from tests.signing import spirii_headers, standard_headers

__all__ = ["CHARGE", "HOME", "PATIENCE_SECONDS", "SHOP", "Client", "status_changed", "wait_for"]


class Client:
    """Everything that a client can do with stack.json."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.connections = dict(stack.connections)
        self.announced: list[dict[str, Any]] = []
        self.sent: list[tuple[bytes, str]] = []
        """The body and the signature of every webhook of ours, for the scan of the logs."""

    @cached_property
    def sqs(self) -> Any:
        return self.stack.client("sqs")

    def new_id(self, kind: str = "ord") -> str:
        return f"{kind}-{uuid4().hex[:10]}"

    def send(
        self,
        connection: str,
        event: Mapping[str, Any] | bytes,
        *,
        delivery_id: str | None = None,
        secret: str | None = None,
        expect: int = 202,
    ) -> None:
        """Sign an event by Standard Webhooks, send it, and check the response's status."""
        assert self.try_to_send(connection, event, delivery_id, secret) == expect

    def try_to_send(
        self,
        connection: str,
        event: Mapping[str, Any] | bytes,
        delivery_id: str | None = None,
        secret: str | None = None,
        content_type: str = "application/json",
    ) -> int:
        """Send an event like a provider; returns the status of the response."""
        described = self.connections[connection]
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        identity, now = delivery_id or f"msg_{uuid4().hex}", int(time.time())
        key = secret or described["signing"]["secret"]
        headers = (
            spirii_headers(body, secret=key, event_id=identity, timestamp=now)
            if described["signing"]["scheme"] == "spirii"
            else standard_headers(body, secret=key, delivery_id=identity, timestamp=now)
        )
        signature = headers.get("webhook-signature") or headers["Spirii-Signature"]
        self.sent.append((body, signature))
        headers |= {"content-type": content_type}
        return self.call("POST", described["webhook_url"], body, headers)[0]

    def call(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        request = urllib.request.Request(url, body, dict(headers or {}), method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def steer(self, connection: str, path: str, body: Any = None, method: str = "POST") -> Any:
        """Send a request to a connection's sandbox."""
        url = f"{self.connections[connection]['sandbox_url']}/_sandbox/{path}"
        data = None if body is None else json.dumps(body).encode()
        status, content = self.call(method, url, data, {"content-type": "application/json"})
        assert status < 300, content
        return json.loads(content) if content else None

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``milepost`` as an operator."""
        return subprocess.run(
            [Path(sys.prefix) / "bin" / "milepost", *arguments],
            env=os.environ | self.stack.access.environment(),
            check=False,
            capture_output=True,
            text=True,
        )

    def apply(
        self, declared: str, texts: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Apply connections as an operator, with templates in files next to them."""
        with tempfile.TemporaryDirectory() as directory:
            for name, content in {"connections.yaml": declared, **(texts or {})}.items():
                (Path(directory) / name).write_text(content)
            file = f"{directory}/connections.yaml"
            stack = self.stack.stack_name
            return self.run("connections", "apply", file, "--yes", "--stack", stack)

    def poll(self, connection: str) -> dict[str, Any]:
        """Run a poll, after any other poll has ended and the provider allows requests again."""

        def attempt() -> dict[str, Any] | None:
            answer = self.stack.client("lambda").invoke(
                FunctionName=self.connections[connection]["poll_function"],
                Payload=json.dumps({"connection": connection}),
            )
            result: dict[str, Any] = json.loads(answer["Payload"].read())
            return None if result.get("outcome") == "leased" else result

        return wait_for(attempt, what=f"a poll of {connection}")

    def order(self, connection: str, order_id: str, item_id: str) -> dict[str, Any] | None:
        """The stored item of an order, as DynamoDB returns it."""
        answer = self.stack.client("dynamodb").get_item(
            TableName=self.stack.resource_id("OrdersTable"),
            Key={
                "pk": {"S": f"order#{connection}#{order_id}"},
                "sk": {"S": f"item#{item_id}"},
            },
            ConsistentRead=True,
        )
        item: dict[str, Any] | None = answer.get("Item")
        return item

    def wait_for_status(self, connection: str, order_id: str, item_id: str, status: str) -> None:
        def arrived() -> bool:
            item = self.order(connection, order_id, item_id)
            return item is not None and item["status"]["S"] == status

        wait_for(arrived, what=f"{order_id} to be {status}")

    def announcements(self, order_id: str) -> list[dict[str, Any]]:
        """The messages about an order in the subscriber's queue so far, in order of
        announcement.
        """
        while True:
            answer = self.sqs.receive_message(
                QueueUrl=self.stack.subscriber_queue_url, MaxNumberOfMessages=10
            )
            messages = answer.get("Messages", [])
            for message in messages:
                self.announced.append(json.loads(json.loads(message["Body"])["Message"]))
                self.sqs.delete_message(
                    QueueUrl=self.stack.subscriber_queue_url,
                    ReceiptHandle=message["ReceiptHandle"],
                )
            if not messages:
                break
        mine = [one for one in self.announced if one["order_id"] == order_id]
        return sorted(mine, key=lambda one: int(one["id"].rpartition("/")[2]))

    def mails(self, reference: str) -> Sequence[Mapping[str, Any]]:
        """The mails that name an order, the oldest first."""
        return [mail for mail in reversed(self.stack.mails()) if reference in mail["text"]]

    def wait_for_told(
        self,
        order_id: str,
        kinds: Sequence[str],
        *,
        mails: int | None = None,
        seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Wait until exactly these kinds were announced by SNS and by mail.

        :param mails: how many, where one mail says several of them
        """

        def told() -> bool:
            number = len(kinds) if mails is None else mails
            seen = [one["kind"] for one in self.announcements(order_id)]
            return seen == list(kinds) and len(self.mails(order_id)) == number

        wait_for(
            told,
            what=f"{list(kinds)} of {order_id}",
            show=lambda: self.announced[-5:],
            seconds=seconds,
        )

    def stored_orders(self) -> list[dict[str, Any]]:
        """The items of all orders."""
        pages = self.stack.client("dynamodb").get_paginator("scan")
        found = pages.paginate(TableName=self.stack.resource_id("OrdersTable"))
        return [item for page in found for item in page["Items"]]

    def settle(self, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until nothing is in progress: a later event of another order has been processed.

        What was sent before it has been through the same queues by then.
        """
        order_id = self.new_id("settle")
        self.send(HOME, status_changed(order_id, "accepted"))
        self.wait_for_told(order_id, ["accepted"], seconds=seconds)


def status_changed(
    order_id: str,
    status: str,
    *,
    item_id: str = "item-1",
    at: datetime | None = None,
    notes: str | None = None,
) -> dict[str, Any]:
    """Offergrid's event of a changed status, with the data for which its mail waits."""
    return {
        "scheduledFor": "2030-03-12T02:00:00.000Z" if status == "scheduled" else None,
        "reason": (notes or "No coverage at this address") if status == "rejected" else None,
        "event": "order.status_changed",
        "orderId": order_id,
        "itemId": item_id,
        "previousStatus": "pending",
        "newStatus": status,
        "providerNotes": notes,
        "timestamp": (at or datetime.now(UTC)).isoformat().replace("+00:00", "Z"),
    }


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Where the stack writes: the path that MILEPOST_STACK_FILE names, or a new one."""
    named = os.environ.get("MILEPOST_STACK_FILE")
    return Places(Path(named).parent if named else tmp_path_factory.mktemp("stack"))


@pytest.fixture(scope="session")
def stack(places: Places) -> Iterator[Stack]:
    """The running stack that MILEPOST_STACK_FILE names, or a new one."""
    if "MILEPOST_STACK_FILE" in os.environ:
        yield Stack(**json.loads(places.stack_file.read_text()))
        return
    with running_stack(places=places) as started:
        yield started


@pytest.fixture(scope="session")
def client(stack: Stack) -> Client:
    """A client, and the tests' connections, applied before the first webhook arrives."""
    made = Client(stack)
    home = made.connections[HOME]
    _, described_home = made.call("GET", f"{home['sandbox_url']}/_sandbox", None, {})
    home["api_key"] = json.loads(described_home)["credentials"]["api_key"]
    done = made.apply(declaration(made.connections), TEXTS)
    assert done.returncode == 0, done.stdout + done.stderr
    made.connections |= described(made.connections)
    # The door reads its secrets again at most every 30 seconds; a provider tries again meanwhile.
    probe = status_changed(made.new_id("probe"), "pending")
    wait_for(
        lambda: made.try_to_send(SHOP, probe) == 202,
        what=f"{SHOP} to be accepted",
        seconds=60,
    )
    # Functions that have never run take long to start on a busy machine: no test waits for that.
    made.settle(seconds=120)
    return made


@pytest.fixture
def subscriptions(client: Client) -> Iterator[Subscriptions]:
    """Subscriptions that only this test uses."""
    made = Subscriptions(client)
    yield made
    made.forget()
