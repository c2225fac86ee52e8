"""``{sandbox_url}/_sandbox``: the API with which tests and people control one account."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, Final

from local.sandboxes.account import Account, Refused, UnknownOrder
from local.sandboxes.demo import Demo
from local.sandboxes.fault_injection import FAULTS
from local.sandboxes.json_format import Json, format_time
from local.sandboxes.request import Answer, BadRequest, Request
from local.sandboxes.responding import Reply
from local.sandboxes.routes import NoRoute, Routes
from local.sandboxes.subs import Subs

CALLS: Final[Mapping[str, str]] = {
    "GET /_sandbox": "this page",
    "GET /_sandbox/faults": "the faults that wait",
    "POST /_sandbox/faults": '{"fault", "times": 1|null, "on": {"path", "method", "page", "event", '
    '"webhook"}, and the fault\'s own settings}',
    "DELETE /_sandbox/faults": "no more faults",
    "GET /_sandbox/orders": "every order as the provider has it, the oldest first",
    "POST /_sandbox/orders": '{"at", any field of the order, "count": 1}; made-up values else',
    "GET /_sandbox/orders/{id}": "one order",
    "POST /_sandbox/orders/{id}/move": '{"status", "reason", "scheduledFor", "at", "webhook": '
    'true, "store": true, "timestamp", "set": {...}; offergrid: "itemId", "providerNotes", '
    '"accountNumber", "events", "order": {...}}',
    "POST /_sandbox/invoices/{id}/settle": "subs: paid at the bank, not yet noticed",
    "GET /_sandbox/webhook": "where webhooks go, and how they are signed",
    "PUT /_sandbox/webhook": '{"url": "..."|null, "secrets": ["new", "old"]}',
    "POST /_sandbox/webhooks": '{"body": "raw text" or "body_base64" or "content": {...}, "id", '
    '"event", "bad_signature": false, "timestamp": unix seconds, "headers": {...}}',
    "GET /_sandbox/deliveries": "webhooks with each attempt; ?status=",
    "GET /_sandbox/requests": "requests so far; ?path= and ?method= choose",
    "GET /_sandbox/actions": "what the provider's staff were asked to do",
    "POST /_sandbox/reset": "no orders, faults, logs or tokens",
    "GET /_sandbox/clock": "the sandbox's time",
    "POST /_sandbox/clock": '{"advance_seconds": 3600}: for every account of this process',
    "PUT /_sandbox/limits": '{"enforced": true}',
    "POST /_sandbox/demo": '{"orders": 8, "seconds": 60, "seed": 7}: moves orders, then stops',
    "GET /_sandbox/demo": "how far it is",
    "DELETE /_sandbox/demo": "stops it",
}


class ControlApi:
    """Handles the calls for one account. They need no credentials, since sandboxes are local."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._demo: Demo | None = None
        handlers: dict[str, Callable[..., Answer]] = {
            "GET /_sandbox": self._describe,
            "GET /_sandbox/faults": self._show_faults,
            "POST /_sandbox/faults": self._add_fault,
            "DELETE /_sandbox/faults": self._clear_faults,
            "GET /_sandbox/orders": self._list_orders,
            "POST /_sandbox/orders": self._create_orders,
            "GET /_sandbox/orders/{id}": self._get_order,
            "POST /_sandbox/orders/{id}/move": self._move_order,
            "POST /_sandbox/invoices/{id}/settle": self._settle_invoice,
            "GET /_sandbox/webhook": self._show_webhook,
            "PUT /_sandbox/webhook": self._set_webhook,
            "POST /_sandbox/webhooks": self._send_webhook,
            "GET /_sandbox/deliveries": self._show_deliveries,
            "GET /_sandbox/requests": self._show_requests,
            "GET /_sandbox/actions": self._show_actions,
            "POST /_sandbox/reset": self._reset,
            "GET /_sandbox/clock": self._show_clock,
            "POST /_sandbox/clock": self._advance_clock,
            "PUT /_sandbox/limits": self._set_limits,
            "POST /_sandbox/demo": self._start_demo,
            "GET /_sandbox/demo": self._show_demo,
            "DELETE /_sandbox/demo": self._stop_demo,
        }
        self._routes = Routes(list(handlers.items()))

    def respond(self, request: Request) -> Reply:
        """The response to one call; errors are under ``error``."""
        with self._account.lock:
            answer = self._answer(request)
            body = answer.body()
        return Reply(status=answer.status, headers={"Content-Type": "application/json"}, body=body)

    def start_demo(self, *, orders: int, seconds: float, seed: int) -> Demo:
        """Starts moving orders; a demo that is still running is stopped first."""
        self.stop_demo()
        self._demo = Demo(account=self._account, orders=orders, seconds=seconds, seed=seed)
        self._demo.start()
        return self._demo

    @property
    def has_demo(self) -> bool:
        """Whether orders are still being moved."""
        return self._demo is not None and bool(self._demo.describe()["running"])

    def stop_demo(self) -> None:
        if self._demo:
            self._demo.stop()

    def _answer(self, request: Request) -> Answer:
        try:
            return self._routes.answer(request)
        except NoRoute as error:
            return Answer(status=error.status, content={"error": str(error)})
        except UnknownOrder as error:
            return Answer(status=404, content={"error": str(error.args[0])})
        except (BadRequest, Refused, ValueError, TypeError, AttributeError) as error:
            return Answer(status=400, content={"error": str(error)})

    def _describe(self, _request: Request) -> Answer:
        account = self._account
        connection = account.connection
        content = {
            "connection": connection.id,
            "provider": connection.provider,
            "credentials": connection.credentials,
            "webhook": _describe_webhook(account),
            "rate_limits": connection.rate_limits,
            "endpoints": list(account.endpoints),
            "statuses": list(account.statuses),
            "sandbox": CALLS,
            "faults": FAULTS,
            "waiting_faults": account.faults.describe(),
            "orders": len(account.ledger),
            "requests": account.request_count,
            "actions": len(account.actions),
            "example": next(iter(account.ledger.newest(offset=0, limit=1)), None),
        }
        return Answer(content=content)

    def _show_faults(self, _request: Request) -> Answer:
        return Answer(content={"faults": self._account.faults.describe()})

    def _add_fault(self, request: Request) -> Answer:
        return Answer(status=201, content=self._account.faults.add(request.json()).describe())

    def _clear_faults(self, _request: Request) -> Answer:
        self._account.faults.clear()
        self._account.release_held()
        return Answer(content={"faults": []})

    def _list_orders(self, _request: Request) -> Answer:
        return Answer(content={"orders": self._account.ledger.all()})

    def _create_orders(self, request: Request) -> Answer:
        fields = request.json()
        count = fields.pop("count", None)
        if count is None:
            return Answer(status=201, content=self._account.create_order(fields))
        orders = [self._account.create_order(fields) for _ in range(int(count))]
        return Answer(status=201, content={"orders": orders})

    def _get_order(self, _request: Request, id: str) -> Answer:
        return Answer(content=self._account.find_order(id))

    def _move_order(self, request: Request, id: str) -> Answer:
        return Answer(content=self._account.move_order(id, request.json()))

    def _settle_invoice(self, _request: Request, id: str) -> Answer:
        if not isinstance(self._account, Subs):
            raise BadRequest("only subs has invoices")
        return Answer(content=self._account.settle_invoice(id))

    def _show_webhook(self, _request: Request) -> Answer:
        return Answer(content=_describe_webhook(self._account))

    def _set_webhook(self, request: Request) -> Answer:
        wanted, connection = request.json(), self._account.connection
        if "url" in wanted:
            connection.webhook_url = wanted["url"]
        if "secrets" in wanted:
            connection.signing.secrets = [str(secret) for secret in wanted["secrets"]]
        return self._show_webhook(request)

    def _send_webhook(self, request: Request) -> Answer:
        wanted = request.json()
        timestamp = wanted.get("timestamp")
        delivery = self._account.send_raw(
            event=str(wanted.get("event", "raw")),
            body=_read_body(wanted),
            id=wanted.get("id"),
            bad_signature=bool(wanted.get("bad_signature", False)),
            timestamp=None if timestamp is None else int(timestamp),
            headers=wanted.get("headers"),
        )
        return Answer(status=202, content=delivery.describe())

    def _show_deliveries(self, request: Request) -> Answer:
        status = request.query.get("status")
        deliveries = [d for d in self._account.deliveries if status in (None, d.status)]
        return Answer(content={"deliveries": [d.describe() for d in deliveries]})

    def _show_requests(self, request: Request) -> Answer:
        path, method = request.query.get("path", ""), request.query.get("method")
        shown = [
            entry
            for entry in self._account.requests
            if path in entry["path"] and method in (None, entry["method"])
        ]
        total = self._account.request_count
        return Answer(content={"total": total, "count": len(shown), "requests": shown})

    def _show_actions(self, _request: Request) -> Answer:
        actions = self._account.actions
        return Answer(content={"count": len(actions), "actions": actions})

    def _reset(self, _request: Request) -> Answer:
        self.stop_demo()
        self._account.reset()
        return Answer(content={"orders": 0})

    def _show_clock(self, _request: Request) -> Answer:
        return Answer(content={"now": format_time(self._account.clock.now())})

    def _advance_clock(self, request: Request) -> Answer:
        self._account.clock.advance(float(request.json().get("advance_seconds", 0)))
        return self._show_clock(request)

    def _set_limits(self, request: Request) -> Answer:
        enforced = bool(request.json().get("enforced", True))
        self._account.connection.rate_limits = enforced
        return Answer(content={"enforced": enforced})

    def _start_demo(self, request: Request) -> Answer:
        wanted = request.json()
        demo = self.start_demo(
            orders=int(wanted.get("orders", 8)),
            seconds=float(wanted.get("seconds", 60)),
            seed=int(wanted.get("seed", 7)),
        )
        return Answer(status=202, content=demo.describe())

    def _show_demo(self, _request: Request) -> Answer:
        nothing = {"running": False, "moves": 0, "done": 0}
        return Answer(content=self._demo.describe() if self._demo else nothing)

    def _stop_demo(self, request: Request) -> Answer:
        self.stop_demo()
        return self._show_demo(request)


def _describe_webhook(account: Account) -> Json:
    signing = account.connection.signing
    url = account.connection.webhook_url
    return {"url": url, "scheme": signing.scheme, "secrets": signing.secrets}


def _read_body(wanted: Mapping[str, Any]) -> bytes:
    if "content" in wanted:
        return Answer(content=wanted["content"]).body()
    if "body_base64" in wanted:
        try:
            return base64.b64decode(str(wanted["body_base64"]), validate=True)
        except binascii.Error:
            raise BadRequest("body_base64 is not base64") from None
    return str(wanted.get("body", "")).encode()
