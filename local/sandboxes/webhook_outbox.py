"""Webhooks to send: signed, delivered in the background, retried and logged."""

import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Condition, Thread
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from local.sandboxes.clock import Clock
from local.sandboxes.json_format import format_time

BACKOFF_SECONDS: Final = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
_WORKERS: Final = 4
_TIMEOUT_SECONDS: Final = 15.0


Signer: TypeAlias = Callable[[int], Mapping[str, str]]
"""Makes the headers of an attempt, given its Unix seconds."""


@dataclass(slots=True, kw_only=True, eq=False)
class Delivery:
    """One webhook and each attempt to deliver it.

    ``status``: queued, delivered, failed (all attempts used), dropped, held, no_url.
    """

    id: str
    event: str
    url: str | None
    body: bytes
    sign: Signer
    created_at: str
    status: str = "queued"
    attempts: list[dict[str, Any]] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "event": self.event,
            "url": self.url,
            "created_at": self.created_at,
            "status": self.status,
            "attempts": list(self.attempts),
            "body": self.body.decode("utf-8", "replace"),
        }


class Outbox:
    """Delivers at least once: any 2xx response ends it, otherwise it is retried after some time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._queue: list[tuple[float, int, Delivery]] = []
        self._numbers = itertools.count()
        self._wake = Condition()
        self._threads: list[Thread] = []
        self._stopped = False

    def start(self) -> None:
        for number in range(_WORKERS):
            thread = Thread(target=self._work, name=f"sandbox-outbox-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Ends the workers; queued webhooks stay undelivered."""
        with self._wake:
            self._stopped = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(timeout=_TIMEOUT_SECONDS + 1)

    def post(self, delivery: Delivery, *, delay: float = 0.0) -> None:
        """Queues one delivery for ``delay`` seconds from now."""
        if delivery.url is None:
            delivery.status = "no_url"
            return
        with self._wake:
            due = time.monotonic() + delay
            heapq.heappush(self._queue, (due, next(self._numbers), delivery))
            self._wake.notify()

    def _work(self) -> None:
        while (delivery := self._next()) is not None:
            self._attempt(delivery)

    def _next(self) -> Delivery | None:
        with self._wake:
            while not self._stopped:
                if not self._queue:
                    self._wake.wait()
                    continue
                wait = self._queue[0][0] - time.monotonic()
                if wait <= 0:
                    return heapq.heappop(self._queue)[2]
                self._wake.wait(wait)
        return None

    def _attempt(self, delivery: Delivery) -> None:
        # Receivers check it against the real time, which nobody has moved.
        outcome = _send(delivery, timestamp=int(time.time()))
        delivery.attempts.append({"at": format_time(self._clock.now()), **outcome})
        if 200 <= int(outcome.get("status", 0)) < 300:
            delivery.status = "delivered"
        elif len(delivery.attempts) > len(BACKOFF_SECONDS):
            delivery.status = "failed"
        else:
            self.post(delivery, delay=BACKOFF_SECONDS[len(delivery.attempts) - 1])


def make_log() -> deque[Delivery]:
    """A log that drops its oldest entries."""
    return deque(maxlen=20_000)


def _send(delivery: Delivery, *, timestamp: int) -> dict[str, Any]:
    url = urlsplit(delivery.url or "")
    make = HTTPSConnection if url.scheme == "https" else HTTPConnection
    connection = make(url.netloc, timeout=_TIMEOUT_SECONDS)
    headers = {"Content-Type": "application/json", **delivery.sign(timestamp)}
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    try:
        connection.request("POST", path, body=delivery.body, headers=headers)
        return {"status": connection.getresponse().status}
    except (OSError, HTTPException, ValueError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    finally:
        connection.close()
