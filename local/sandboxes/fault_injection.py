"""Fault injection: errors, delays and duplicates that a test can request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

from local.sandboxes.request import BadRequest

REQUEST_FAULTS: Final[Mapping[str, str]] = {
    "500": "answers 500 (another status with `status`)",
    "429": "answers 429 with Retry-After (`retry_after` seconds, 1; null leaves it out)",
    "401": "answers 401 and forgets every access token",
    "slow": "waits `seconds` (5), then answers as usual",
    "redirect": "answers 302 (`status`) to `location` (another host that notes what reaches it)",
    "broken_page": "sends half of the JSON",
    "is_success_false": "rabot: HTTP 200 with isSuccess false",
    "foreign_next": "the next page is said to be at `location`, on another host",
    "self_next": "the next page is this page",
    "endless": "there is always one more page",
    "drift": "the page starts `by` (1) orders later, or earlier when negative",
}
SHARED_FAULTS: Final[Mapping[str, str]] = {
    "duplicate": "webhook: delivered twice; page: each order is listed twice",
    "reorder": "webhook: sent behind the next one, or after 3 seconds; page: turned round",
    "drop": "webhook: never delivered; request: the connection is closed without an answer",
}
WEBHOOK_FAULTS: Final[Mapping[str, str]] = {
    "bad_signature": "webhook: signed with another secret",
}
PAGE_FAULTS: Final = frozenset({"foreign_next", "self_next", "endless", "drift"})
FAULTS: Final = {**REQUEST_FAULTS, **SHARED_FAULTS, **WEBHOOK_FAULTS}


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault, how often it will still happen (None: until it is cleared), and to what it
    applies.

    ``on`` may name ``method``, ``path`` (a part of it), ``page`` (from 1), ``event`` (a part of
    it) or ``webhook`` (true or false).
    """

    kind: str
    left: int | None
    on: dict[str, Any]
    settings: dict[str, Any] = field(default_factory=dict)
    happened: int = 0

    @property
    def is_for_webhooks(self) -> bool:
        if "webhook" in self.on:
            return bool(self.on["webhook"])
        if self.kind in WEBHOOK_FAULTS or "event" in self.on:
            return True
        return self.kind in SHARED_FAULTS and not self.on.keys() & {"path", "page", "method"}

    def describe(self) -> dict[str, Any]:
        return {
            "fault": self.kind,
            "left": self.left,
            "on": self.on,
            "happened": self.happened,
            **self.settings,
        }


class Faults:
    """The faults that are set. The oldest one that applies happens first."""

    def __init__(self, *, has_webhooks: bool) -> None:
        self._has_webhooks = has_webhooks
        self._faults: list[Fault] = []
        self._lock = Lock()

    def add(self, spec: Mapping[str, Any]) -> Fault:
        """Takes ``{"fault", "times", "on", ...}``; ``times`` is 1, or null for always.

        :raises BadRequest: when there is no such fault, or the numbers make no sense
        """
        kind, times, on = str(spec.get("fault")), spec.get("times", 1), spec.get("on") or {}
        if kind not in FAULTS:
            raise BadRequest(f"no fault {kind}: choose one of {', '.join(FAULTS)}")
        if times is not None and (not isinstance(times, int) or times < 1):
            raise BadRequest("times must be a whole number from 1, or null for always")
        if not isinstance(on, dict):
            raise BadRequest('on must be an object such as {"path": "/orders", "page": 2}')
        if not self._has_webhooks and kind in SHARED_FAULTS:
            on = {"webhook": False, **on}
        settings = {k: v for k, v in spec.items() if k not in {"fault", "times", "on"}}
        fault = Fault(kind=kind, left=times, on=on, settings=settings)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def describe(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.describe() for fault in self._faults]

    def take_for_request(self, *, method: str, path: str, page: int | None) -> Fault | None:
        """The fault that applies to this request, which then has one use less."""
        with self._lock:
            for fault in self._waiting(for_webhooks=False):
                if _fits(fault, method=method, path=path, page=page):
                    return _use(fault)
        return None

    def take_for_webhook(self, event: str) -> Fault | None:
        """The fault that applies to this webhook, which then has one use less."""
        with self._lock:
            for fault in self._waiting(for_webhooks=True):
                if str(fault.on.get("event", "")) in event:
                    return _use(fault)
        return None

    def _waiting(self, *, for_webhooks: bool) -> list[Fault]:
        return [f for f in self._faults if f.left != 0 and f.is_for_webhooks == for_webhooks]


def _fits(fault: Fault, *, method: str, path: str, page: int | None) -> bool:
    on = fault.on
    # A fault that names no path means the orders, not the way to a token.
    if not on.get("path") and path == "/connect/token":
        return False
    if page is None and (fault.kind in PAGE_FAULTS or fault.kind in {"duplicate", "reorder"}):
        return False
    return (
        on.get("method", method) == method
        and str(on.get("path", "")) in path
        and on.get("page", page) == page
    )


def _use(fault: Fault) -> Fault:
    fault.happened += 1
    if fault.left is not None:
        fault.left -= 1
    return fault
