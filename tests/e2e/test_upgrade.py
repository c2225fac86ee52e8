"""From an older version to this one, back and again, while webhooks come: nothing lost or doubled.

The older version is built from its commit. Without that commit in the history, it is left out.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from local.build import TEMPLATE
from local.deployment import Deployment
from local.files import ROOT
from local.processes import plain_environment
from local.subscriber import subscribe_queue
from milepost.aws.dynamodb_items import from_item
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.subscription import Subscription
from tests.e2e.account import CONNECTION, Account, running_account, webhook
from tests.e2e.conftest import status_changed, wait_for

OLD: Final = "c7a4e3b"
"""The commit of 0.2.0, whose stored items are in tests/recorded."""

STACK: Final = "milepost-upgrade"
TEAM: Final = "team@example.org"
LIFE: Final = ("accepted", "scheduled", "completed")
"""The statuses of each order, which are also the kinds of its announcements. Orders take turns, so
that of many the statuses come by different versions."""
PAUSE_SECONDS: Final = 2.0
"""Between two webhooks: a deployment takes long, and each webhook is work for six functions."""
HANDED_OVER: Final = frozenset({"sent", "delivered"})
"""States of a notice whose mail SES has taken; its event may be recorded already."""
DEAD_LETTERS: Final = (
    *("InboxDeadLetters", "EmailDeadLetters", "MailEventsDeadLetters"),
    *("AnnounceFailures", "MeasureFailures", "FailedInvocations"),
)


def has_history() -> bool:
    command = ["git", "cat-file", "-e", f"{OLD}^{{commit}}"]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode == 0


pytestmark = [
    pytest.mark.e2e,
    pytest.mark.thorough,
    pytest.mark.skipif(not has_history(), reason=f"left out: the history doesn't reach {OLD}"),
]


def build_old(folder: Path) -> Path:
    """The template of the older version, built by its own code."""
    archive = subprocess.run(["git", "archive", OLD], cwd=ROOT, check=True, capture_output=True)
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    paths = os.pathsep.join([str(folder), str(folder / "layers" / "core")])
    subprocess.run(
        [sys.executable, "-m", "local", "build"],
        cwd=folder,
        env=plain_environment(PYTHONPATH=paths),
        check=True,
        capture_output=True,
    )
    return folder / ".aws-sam" / "local" / "build" / "template.yaml"


@dataclass
class Traffic:
    """Orders that begin one after the other, and go on in turn, until the end."""

    account: Account
    stack: Deployment
    version: str
    """Which version is deployed, once a deployment has ended."""
    expected: dict[str, list[str]] = field(default_factory=dict)
    versions: dict[str, set[str]] = field(default_factory=dict)
    """By order: the versions that took its webhooks."""
    taken: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Traffic":
        self._lambda = self.account.client("lambda")
        self._dynamodb = self.account.client("dynamodb")
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(timeout=300)
        assert not self._thread.is_alive(), "a webhook that was taken is not recorded"

    def _run(self) -> None:
        while not self._ended.wait(PAUSE_SECONDS):
            self._go_on()
        for order_id in list(self.expected):
            while len(self.expected[order_id]) < len(LIFE):
                self._send(order_id)

    def _go_on(self) -> None:
        """A new order, and one step of the order that has waited longest."""
        unfinished = [one for one, seen in self.expected.items() if len(seen) < len(LIFE)]
        if len(unfinished) < 6:
            order_id = f"ord-{uuid4().hex[:10]}"
            self.expected[order_id] = []
            self._send(order_id)
        else:
            self._send(unfinished[0])

    def _send(self, order_id: str) -> None:
        """One webhook, sent again until it is taken, as a provider does.

        The one before is recorded by then: of two that overtake each other, the late one is known
        to be late and announces nothing.
        """
        while self.expected[order_id] and self.stored(order_id) != self.expected[order_id][-1]:
            self._ended.wait(0.2)
            if self._ended.is_set():
                time.sleep(0.2)
        status = LIFE[len(self.expected[order_id])]
        event = json.dumps(status_changed(order_id, status, at=datetime.now(UTC))).encode()
        while not self._is_taken(event, f"msg_{order_id}_{status}"):
            self._ended.wait(0.5)
        self.versions.setdefault(order_id, set()).add(self.version)
        # At the end: it is another order's turn.
        self.expected[order_id] = [*self.expected.pop(order_id), status]
        self.taken += 1

    def stored(self, order_id: str) -> str | None:
        item = self._dynamodb.get_item(
            TableName=self.stack.find_id("OrdersTable"),
            Key={"pk": {"S": f"order#{CONNECTION}#{order_id}"}, "sk": {"S": "item#item-1"}},
            ConsistentRead=True,
        ).get("Item")
        return item["status"]["S"] if item else None

    def _is_taken(self, event: bytes, delivery_id: str) -> bool:
        try:
            answer = self._lambda.invoke(
                FunctionName=self.stack.find_id("ReceiveWebhookFunction"),
                Payload=json.dumps(webhook(event, delivery_id=delivery_id)),
            )
        except (BotoCoreError, ClientError):
            return False
        said = json.loads(answer["Payload"].read())
        return bool(said.get("statusCode") == 202)

    def wait_for_more(self, number: int) -> None:
        """Wait until so many more orders have begun or gone on."""
        before = self.taken
        wait_for(
            lambda: self.taken >= before + number,
            what=f"{number} webhooks",
            seconds=120,
        )


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running_account(tmp_path_factory.mktemp("upgrade")) as running:
        yield running


def test_an_upgrade_that_is_rolled_back_and_made_again_loses_and_doubles_nothing(
    account: Account, tmp_path: Path
) -> None:
    old = build_old(tmp_path)
    # A message that a function dropped while it was updated comes back five times.
    settings = {"RetrySeconds": "30"}
    stack = account.deploy(STACK, template=old, settings=settings)
    queue = subscribe_queue(account.access, topic_arn=stack.find_id("AnnouncementsTopic"))
    account.connect(STACK, sources=tmp_path)
    # Of these kinds alone: each is one notice and one mail.
    team = Subscription(id="sub-team", recipient=TEAM, kinds=frozenset(LIFE))
    subscriptions = SubscriptionsTable(
        account.client("dynamodb"), table_name=stack.find_id("NoticesTable")
    )
    subscriptions.put(team)
    tables = {name: stack.find_id(name) for name in ("OrdersTable", "NoticesTable")}
    secrets = secrets_of(account, stack)
    assert CONNECTION in secrets["SigningSecrets"]
    with Traffic(account, stack, "old") as traffic:
        traffic.wait_for_more(4)
        for version, template in (("new", TEMPLATE), ("old", old), ("new", TEMPLATE)):
            after = account.deploy(STACK, template=template, settings=settings)
            assert {name: after.find_id(name) for name in tables} == tables
            assert secrets_of(account, after) == secrets
            traffic.version = version
            traffic.wait_for_more(4)
    sent = {(one, status) for one, seen in traffic.expected.items() for status in seen}
    assert len(sent) == len(traffic.expected) * len(LIFE) > 15
    by_both = [one for one, versions in traffic.versions.items() if len(versions) > 1]
    assert len(by_both) >= 3, "orders of which each version read what the other wrote"
    announced: dict[str, tuple[str, str]] = {}
    wait_for(
        lambda: announced.update(read(account, queue)) or set(announced.values()) >= sent,
        what="every announcement",
        show=lambda: (sorted(sent - set(announced.values())), waiting(account, stack)),
        seconds=240,
    )
    assert Counter(announced.values()) == Counter(sent), "one id for each announcement"
    told = wait_for(
        lambda: all_sent(account, tables["NoticesTable"], sent),
        what="every notice by mail",
        show=lambda: (states_of(account, tables["NoticesTable"]), waiting(account, stack)),
        seconds=240,
    )
    wait_for(lambda: Counter(mails(account, traffic)) == told, what="every mail", seconds=60)
    assert not waiting(account, stack, *DEAD_LETTERS)
    stored = account.client("dynamodb").scan(TableName=tables["OrdersTable"])["Items"]
    statuses = {one["order_id"]: one["status"] for one in map(from_item, stored)}
    assert statuses == dict.fromkeys(traffic.expected, LIFE[-1])


def secrets_of(account: Account, stack: Deployment) -> dict[str, str]:
    """What each secret holds that both versions have."""
    names = ("SigningSecrets", "ApiCredentials", "EndpointSecrets", "UnsubscribeSecret")
    read = account.client("secretsmanager").get_secret_value
    return {name: read(SecretId=stack.find_id(name))["SecretString"] for name in names}


def waiting(account: Account, stack: Deployment, *queues: str) -> dict[str, int]:
    """How many messages there are in each of the stack's queues that isn't empty."""
    of_stack = [name for name, kind in stack.types.items() if kind == "AWS::SQS::Queue"]
    names = [f"ApproximateNumberOfMessages{one}" for one in ("", "NotVisible", "Delayed")]
    found = {}
    for name in queues or of_stack:
        numbers = account.client("sqs").get_queue_attributes(
            QueueUrl=stack.find_id(name), AttributeNames=names
        )["Attributes"]
        found[name] = sum(map(int, numbers.values()))
    return {name: number for name, number in found.items() if number}


def read(account: Account, queue: str) -> dict[str, tuple[str, str]]:
    """Announcements that came meanwhile, by id: the order and the kind."""
    sqs, found = account.client("sqs"), {}
    while got := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in got:
            one: dict[str, Any] = json.loads(json.loads(message["Body"])["Message"])
            found[one["id"]] = (one["order_id"], one["kind"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return found


def by_mail(account: Account, table: str) -> list[dict[str, Any]]:
    """The team's notices by mail."""
    pages = account.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    items = [from_item(item) for page in pages for item in page["Items"]]
    return [one for one in items if (one.get("channel"), one.get("audience")) == ("email", "team")]


def states_of(account: Account, table: str) -> Counter[tuple[str, str, str | None]]:
    """How many notices there are of each kind and state, and why."""
    notices = by_mail(account, table)
    return Counter((one["kind"], one["state"], one.get("reason")) for one in notices)


def all_sent(account: Account, table: str, sent: set[tuple[str, str]]) -> Counter[str] | None:
    """How many mails there are about each order, once each of its statuses has been told once."""
    notices = by_mail(account, table)
    if any(one["state"] not in HANDED_OVER for one in notices):
        return None
    told = Counter((one["pk"].rpartition("#")[2], one["kind"]) for one in notices)
    is_whole = all(told[one] == 1 for one in sent)
    return Counter(order_id for order_id, _ in told.elements()) if is_whole else None


def mails(account: Account, traffic: Traffic) -> Iterator[str]:
    """The order of each mail in the team's inbox."""
    for mail in account.inbox.mailbox.list():
        if TEAM in mail.to:
            yield from (one for one in traffic.expected if one in mail.text)
