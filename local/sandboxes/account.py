"""One account at one provider: the common part of all four sandboxes."""

import random
import secrets
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from copy import deepcopy
from threading import RLock
from typing import Any, ClassVar, Final

from local.sandboxes.clock import Clock
from local.sandboxes.demo_scenarios import SCENARIOS, Story
from local.sandboxes.fault_injection import Faults
from local.sandboxes.json_format import Json, format_time, parse_time, write_json
from local.sandboxes.request import Answer, Request
from local.sandboxes.settings import Connection
from local.sandboxes.signing import sign_headers
from local.sandboxes.stored_orders import Ledger
from local.sandboxes.webhook_outbox import Delivery, Outbox, make_log

_LONGEST_HOLD_SECONDS: Final = 3.0
_FOREIGN_SECRET: Final = "whsec_" + "A" * 43 + "="


class UnknownOrder(KeyError):
    """There is no such order, item or invoice in this account."""


class Refused(ValueError):
    """The provider does not allow this in the order's current status; the message is the
    provider's.
    """


class Account(ABC):
    """Orders, credentials, faults and logs of one connection. Hold ``lock`` to read or change
    them.
    """

    statuses: ClassVar[tuple[str, ...]]
    endpoints: ClassVar[tuple[str, ...]]
    id_field: ClassVar[str]
    has_webhooks: ClassVar[bool] = True

    def __init__(self, *, connection: Connection, clock: Clock, outbox: Outbox) -> None:
        self.connection = connection
        self.clock = clock
        self.lock = RLock()
        self.faults = Faults(has_webhooks=self.has_webhooks)
        self.requests: deque[Json] = deque(maxlen=5_000)
        self._outbox = outbox
        self.reset()

    def reset(self) -> None:
        """Removes orders, faults, logs, tokens and counted requests; keeps the settings."""
        with self.lock:
            self.ledger = Ledger()
            self.actions: list[Json] = []
            self.deliveries: deque[Delivery] = make_log()
            self.request_count = 0
            self.requests.clear()
            self.faults.clear()
            self._held: Delivery | None = None
            self._held_until = 0.0
            self._replies: dict[str, tuple[str, Answer]] = {}
            self._number = 0
            self.random = random.Random(self.connection.id)
            self.reset_limits()

    @abstractmethod
    def reset_limits(self) -> None:
        """Sets the counted requests to zero."""

    @abstractmethod
    def authorize(self, request: Request) -> Answer | None:
        """The provider's refusal; None if the request is accepted."""

    @abstractmethod
    def handle(self, request: Request) -> Answer:
        """The response to a request that was accepted.

        :raises BadRequest: for a query or body that the provider would not take
        :raises UnknownOrder: when what it is about does not exist
        :raises Refused: when the order's status forbids it
        """

    @abstractmethod
    def refuse(self, *, status: int, message: str) -> Answer:
        """An error in the provider's own format."""

    @abstractmethod
    def page_number(self, request: Request) -> int | None:
        """The number of the list's page that is requested, from 1; None if no list is requested."""

    @abstractmethod
    def entries(self, content: Json) -> list[Any] | None:
        """The orders in a page's content; None if it is not a page."""

    @abstractmethod
    def point_next(self, *, content: Json, request: Request, kind: str, location: str) -> None:
        """Changes a page so that another page follows.

        ``kind`` is foreign_next (at ``location``), self_next (this page), or endless.
        """

    def shift(self, request: Request, by: int) -> Request:  # noqa: ARG002
        """The same request for a page that starts ``by`` orders later; unchanged for cursors."""
        return request

    def written_at(self, updated: str) -> str:
        """The time of a change, by which a list is filtered and sorted.

        Lives are made up with dates that lie back; a real provider writes a change when it
        happens, so a reader that asks for what is new has to get it.
        """
        return max(updated, format_time(self.clock.now()))

    @abstractmethod
    def create_order(self, fields: Mapping[str, Any]) -> Json:
        """Adds an order made up from samples, with ``fields`` replaced; ``at`` dates it."""

    @abstractmethod
    def move_order(self, id: str, change: Mapping[str, Any]) -> Json:
        """Changes the status of an order: ``status``, ``reason``, ``scheduledFor``, ``at``,
        ``webhook``...

        :raises UnknownOrder: when it does not exist
        """

    def limit(self, request: Request) -> tuple[Answer | None, dict[str, str]]:  # noqa: ARG002
        """The refusal of a request over the limit, and the headers of every response."""
        return None, {}

    def tick(self) -> None:
        """Carries out what was scheduled for a time that has passed.

        A webhook that is held back goes even when no other follows.
        """
        if self._held is not None and time.monotonic() >= self._held_until:
            self.release_held()

    @property
    def stories(self) -> tuple[Story, ...]:
        """The scenarios of its orders in the demo."""
        return SCENARIOS[self.connection.provider]

    def id_of(self, order: Json) -> str:
        """The name of the order's id at the provider."""
        return str(order[self.id_field])

    def next_number(self) -> int:
        self._number += 1
        return self._number

    def find_order(self, id: str) -> Json:
        order = self.ledger.get(id)
        if order is None:
            raise UnknownOrder(f"Order {id} not found")
        return order

    def time_of(self, change: Mapping[str, Any], name: str = "at") -> str:
        """The time under ``name`` in the provider's format; the current time if there is none."""
        given = change.get(name)
        return format_time(parse_time(str(given)) if given else self.clock.now())

    def note_action(self, *, action: str, order: str, request: Request, **more: Any) -> None:
        """Stores an action of the provider's staff, so that tests can read it."""
        key = request.headers.get("idempotency-key")
        at = format_time(self.clock.now())
        self.actions.append(
            {"at": at, "action": action, "order": order, "idempotency_key": key, **more}
        )

    def do_once(self, request: Request, act: Callable[[], Answer]) -> Answer:
        """Runs an action, unless this idempotency key was used: then returns the first response
        again.
        """
        key = request.headers.get("idempotency-key")
        if key is None:
            return act()
        asked = f"{request.method} {request.path} {request.body!r}"
        if key in self._replies:
            known, answer = self._replies[key]
            if known != asked:
                return self.refuse(status=422, message="Idempotency-Key was used differently")
            return Answer(
                status=answer.status,
                content=answer.content,
                headers={**answer.headers, "Idempotency-Replayed": "true"},
            )
        answer = act()
        if answer.status < 500:
            self._replies[key] = (asked, _frozen(answer))
        return answer

    def send_webhook(self, *, event: str, content: Json, id: str | None = None) -> Delivery:
        """Sends one event like the provider, with the faults that are set."""
        return self.send_raw(event=event, body=write_json(content), id=id)

    def send_raw(
        self,
        *,
        event: str,
        body: bytes,
        id: str | None = None,
        bad_signature: bool = False,
        timestamp: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Delivery:
        """Sends these bytes unchanged; ``timestamp`` and ``headers`` replace the correct ones."""
        fault = self.faults.take_for_webhook(event)
        kind = fault.kind if fault else None
        message = id or f"msg_{secrets.token_hex(12)}"
        wrong = bad_signature or kind == "bad_signature"

        def sign(now: int) -> Mapping[str, str]:
            signing = self.connection.signing
            signed = sign_headers(
                scheme=signing.scheme,
                secrets=[_FOREIGN_SECRET] if wrong else signing.secrets,
                id=message,
                timestamp=now if timestamp is None else timestamp,
                body=body,
            )
            return {**signed, **(headers or {})}

        delivery = self._log_delivery(message, event, body, sign)
        if kind == "drop":
            delivery.status = "dropped"
        elif kind == "reorder" and self._held is None:
            delivery.status, self._held = "held", delivery
            self._held_until = time.monotonic() + _LONGEST_HOLD_SECONDS
        else:
            delay = float(fault.settings.get("seconds", 5)) if fault and kind == "slow" else 0.0
            self._outbox.post(delivery, delay=delay)
            if kind == "duplicate":
                self._outbox.post(self._log_delivery(message, event, body, sign))
            self.release_held()
        return delivery

    def release_held(self) -> None:
        """Sends the webhook that was held back, if there is one, after all others."""
        if self._held is not None:
            held, self._held = self._held, None
            held.status = "queued"
            self._outbox.post(held, delay=0.3)

    def _log_delivery(
        self, id: str, event: str, body: bytes, sign: Callable[[int], Mapping[str, str]]
    ) -> Delivery:
        delivery = Delivery(
            id=id,
            event=event,
            url=self.connection.webhook_url,
            body=body,
            sign=sign,
            created_at=format_time(self.clock.now()),
        )
        self.deliveries.append(delivery)
        return delivery


def _frozen(answer: Answer) -> Answer:
    """A copy of the current response: the order in it will change, the repeated response must
    not.
    """
    return Answer(
        status=answer.status, content=deepcopy(answer.content), headers=dict(answer.headers)
    )
