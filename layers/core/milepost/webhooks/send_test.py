"""Sends a signed test webhook to a connection's public address, and checks that it is read."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import uuid4

from milepost.quarantine.replay import KeptId
from milepost.webhooks.ping import make_delivery

ACCEPTED: Final = 202
_LOOK_EVERY: Final = 0.5


class NotReached(Exception):
    """The address did not respond; the message says why."""


class Sender(Protocol):
    """Sends requests to the stack's public address."""

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> int:
        """The HTTP status of the response.

        :raises NotReached: when there was none
        """
        ...


class Signs(Protocol):
    """Returns the headers of a signed request."""

    def __call__(self, body: bytes, *, delivery_id: str, timestamp: int) -> Mapping[str, str]: ...


class KeptTests(Protocol):
    """The quarantine, which stores a test delivery after it was processed."""

    def has(self, kept_id: KeptId) -> bool: ...
    def remove(self, kept_id: KeptId) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTestOutcome:
    """The result of a test."""

    url: str
    status: int | None
    """None if there was no response."""
    arrived: bool | None
    """Whether it was read; None if it was not accepted."""
    seconds: float | None
    """From sending it until it had been read."""
    fault: str | None = None
    """Why there was no response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTest:
    """Sends test webhooks.

    :param clock: the present time, in UTC
    :param pause: waits for so many seconds
    """

    sender: Sender
    kept: KeptTests
    clock: Callable[[], datetime]
    pause: Callable[[float], None] = time.sleep

    def run(
        self, connection_id: str, *, url: str, headers: Signs, patience: float
    ) -> WebhookTestOutcome:
        """Send a test webhook, and check for up to ``patience`` seconds whether it arrives.

        It changes no order and notifies nobody. If it arrives, it is deleted from the quarantine.

        :param headers: the headers that sign it, by the connection's current secret
        """
        body, sent_at = json.dumps(make_delivery(uuid4().hex)).encode(), self.clock()
        signed = headers(
            body, delivery_id=f"test_{uuid4().hex}", timestamp=int(sent_at.timestamp())
        )
        try:
            status = self.sender.post(url, headers=signed, body=body)
        except NotReached as error:
            return WebhookTestOutcome(
                url=url, status=None, arrived=None, seconds=None, fault=str(error)
            )
        if status != ACCEPTED:
            return WebhookTestOutcome(url=url, status=status, arrived=None, seconds=None)
        found = self._wait_for(_places(connection_id, body, sent_at), patience=patience)
        if found is None:
            return WebhookTestOutcome(url=url, status=status, arrived=False, seconds=None)
        seconds = (self.clock() - sent_at).total_seconds()
        self.kept.remove(found)
        return WebhookTestOutcome(url=url, status=status, arrived=True, seconds=round(seconds, 1))

    def _wait_for(self, places: list[KeptId], *, patience: float) -> KeptId | None:
        until = self.clock() + timedelta(seconds=patience)
        # Looking takes time of its own, so the clock ends it as well.
        for _ in range(1 + int(patience / _LOOK_EVERY)):
            found = next((one for one in places if self.kept.has(one)), None)
            if found is not None or self.clock() >= until:
                return found
            self.pause(_LOOK_EVERY)
        return None


def _places(connection_id: str, body: bytes, sent_at: datetime) -> list[KeptId]:
    """The possible ids in the quarantine, which follow from the payload's bytes and the day."""
    digest = hashlib.sha256(body).hexdigest()[:32]
    # The sender's and the stack's clock may be on two sides of midnight.
    days = {(sent_at + timedelta(minutes=more)).date() for more in (-5, 0, 5)}
    return [KeptId(connection_id, day.isoformat(), digest) for day in sorted(days)]
