"""Another person operates: requests polls, changes subscriptions, redrives, erases customers."""

import base64
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from threading import Event
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

from local.stack import Stack
from milepost.orders.order import OrderKey
from milepost.orders.search_terms import customer_id_of
from tests.soak.api_client import Operator

_PAUSE_SECONDS: Final = 2.0
_NOBODY: Final = frozenset[str]()
STAYS: Final = "stays@example.org"
"""The recipient whose subscription stays as it is from the start to the end."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """The kinds that a recipient wanted from a time on: when it was requested, and when the
    response came.
    """

    kinds: frozenset[str]
    asked_at: datetime
    answered_at: datetime


@dataclass(kw_only=True)
class Reader:
    """A recipient with one subscription, and its changes with their times."""

    recipient: str
    id: str = ""
    wishes: list[Wish] = field(default_factory=list)

    @property
    def kinds(self) -> frozenset[str]:
        """The settings at the end; empty if the subscription is deleted."""
        return self.wishes[-1].kinds if self.wishes else _NOBODY

    def wants(self, kind: str, *, announced_at: datetime) -> bool | None:
        """Whether they are notified of it; None if it was announced during a change.

        What is announced is told a while later, by the subscriptions of that time: so what was
        requested afterwards may count as well.
        """
        before = [one for one in self.wishes if one.answered_at < announced_at]
        states = [before[-1].kinds if before else _NOBODY]
        states += [one.kinds for one in self.wishes if one.answered_at >= announced_at]
        answers = {kind in one for one in states}
        return answers.pop() if len(answers) == 1 else None


@dataclass(kw_only=True)
class Operating:
    """What one operator does until the soak has sent everything, and the intended result."""

    stack: Stack
    polled: Sequence[str]
    """Connections of which polls are requested, and customers erased."""
    told_of: str
    """The connection that subscriptions are about."""
    redriven_for: str
    """The connection of the deliveries that are redriven; it sends webhooks as Offergrid does."""
    rng: Random
    erased: dict[str, str] = field(default_factory=dict)
    """Emails of the customers who were erased, by the order that each was found by."""
    redriven: list[OrderKey] = field(default_factory=list)
    """Orders of which the only report was a dead letter."""
    readers: list[Reader] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)

    def run(self, stopped: Event) -> None:
        """Make requests, round after round; the current round is always completed.

        :raises Refused: when the API refuses something
        """
        self._subscribe(STAYS)
        while True:
            self._request_poll()
            self._redrive()
            self._change_subscriptions()
            self._erase()
            if stopped.wait(_PAUSE_SECONDS):
                break
        if not self.erased:
            self._erase()

    def open_requests(self) -> list[str]:
        """Requested polls that have not been done yet."""
        shown = [self._operator.ask("GET", f"/connections/{name}") for name in self.polled]
        return [f"{one['id']} {request['id']}" for one in shown for request in one["requests"]]

    def finish_erasures(self) -> None:
        """Like a schedule every 15 minutes: erase data that has appeared since an erasure."""
        name = self.stack.outputs["FinishErasuresFunction"]
        answer = self.stack.client("lambda").invoke(FunctionName=name, Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()

    @property
    def _operator(self) -> Operator:
        return Operator(stack=self.stack)

    def _request_poll(self) -> None:
        connection = self.rng.choice(self.polled)
        self._operator.ask("POST", f"/connections/{connection}/poll")
        self.figures["polls requested"] += 1

    def _redrive(self) -> None:
        """Redrive a delivery that became a dead letter, although it is valid."""
        key = OrderKey(self.redriven_for, f"redriven-{uuid4().hex[:10]}", "item-1")
        sent = self.stack.client("sqs").send_message(
            QueueUrl=self.stack.resource_id("InboxDeadLetters"),
            MessageBody=json.dumps(_delivery_of(key)),
        )
        # By its id: what else became a dead letter is a fault that has to be seen.
        only = {"messages": [sent["MessageId"]]}
        done = self._operator.ask("POST", "/dead-letters/inbox/redrive", only)
        self.redriven.append(key)
        self.figures["redriven"] += done["moved"]

    def _change_subscriptions(self) -> None:
        """Delete the newest subscription, or change it; then add another one."""
        newest = self.readers[-1]
        if newest.recipient != STAYS:
            if self.rng.random() < 0.5:
                self._wish(newest, _NOBODY, "DELETE", f"/subscriptions/{newest.id}")
            else:
                kinds = frozenset({"completed", "cancelled"})
                self._wish(newest, kinds, "PUT", f"/subscriptions/{newest.id}")
        self._subscribe(f"reader-{len(self.readers)}@example.org")

    def _subscribe(self, recipient: str) -> None:
        reader = Reader(recipient=recipient)
        kinds = frozenset({"accepted", "completed"})
        made = self._wish(reader, kinds, "POST", "/subscriptions", key=uuid4().hex)
        reader.id = made["id"]
        self.readers.append(reader)

    def _wish(
        self,
        reader: Reader,
        kinds: frozenset[str],
        method: str,
        path: str,
        *,
        key: str | None = None,
    ) -> Any:
        body = {"email": reader.recipient, "kinds": sorted(kinds), "connections": [self.told_of]}
        asked_at = datetime.now(UTC)
        answer = self._operator.ask(method, path, body if kinds else None, key=key)
        wish = Wish(kinds=kinds, asked_at=asked_at, answered_at=datetime.now(UTC))
        reader.wishes.append(wish)
        self.figures["subscriptions made, changed or deleted"] += 1
        return answer

    def _erase(self) -> None:
        """A customer with an order now, at any point of its lifecycle."""
        connection = self.rng.choice(self.polled)
        listed = self._operator.ask("GET", "/orders", connection=connection, limit="100")["orders"]
        if not listed:
            return
        name = str(self.rng.choice(listed)["id"])
        details = self._operator.ask("GET", f"/orders/{quote(name, safe='')}")["details"]
        customer = customer_id_of(details, OrderKey.parse(name))
        self._operator.ask("DELETE", f"/customers/{customer}")
        self.erased[name] = details["customer"]["email"]
        self.figures["erased"] += 1


def _delivery_of(key: OrderKey) -> dict[str, Any]:
    """A message in the form in which ``receive_webhook`` sends it to the inbox, of an order that is
    accepted.
    """
    now = datetime.now(UTC)
    event = {
        "event": "order.status_changed",
        "orderId": key.order_id,
        "itemId": key.item_id,
        "previousStatus": "pending",
        "newStatus": "accepted",
        "timestamp": now.isoformat().replace("+00:00", "Z"),
    }
    return {
        "connection": key.connection,
        "delivery_id": f"msg_{uuid4().hex}",
        "received_at": time.time(),
        "body": base64.b64encode(json.dumps(event).encode()).decode(),
    }
