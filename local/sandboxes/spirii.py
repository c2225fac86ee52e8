"""Spirii Business's orders API, according to docs/providers/spirii.md."""

import hmac
import secrets
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, ClassVar, Final

from local.sandboxes.account import Account, Refused
from local.sandboxes.invented_customers import make_dane
from local.sandboxes.json_format import Json, format_time, merge, parse_time
from local.sandboxes.rate_limits import RateLimit
from local.sandboxes.request import Answer, BadRequest, Cursor, Request, read_cursor
from local.sandboxes.routes import Routes

_CODES: Final = {
    400: "bad_request",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    422: "idempotency_key_reused",
    429: "rate_limited",
}
_INACTIVE: Final = "Email type is not active for this onboarding flow"


class Spirii(Account):
    """A charge-box seller's account: cursor pages, rate-limit headers, the staff's actions."""

    statuses: ClassVar[tuple[str, ...]] = ("Pending", "Scheduled", "Fulfilled", "Cancelled")
    id_field: ClassVar[str] = "id"
    endpoints: ClassVar[tuple[str, ...]] = (
        "GET /v2/orders",
        "GET /v2/orders/{id}",
        "POST /v2/orders/{id}/fulfill",
        "POST /v2/orders/{id}/cancel",
        "POST /v2/orders/{id}/resend-confirmation",
        "POST /v2/orders/{id}/initiate-installation",
    )

    def reset_limits(self) -> None:
        self._reads, self._writes = RateLimit([(600, 60)]), RateLimit([(120, 60)])
        self._due: dict[str, str] = {}
        acts = (self._fulfill, self._cancel, self._resend, self._install)
        handlers = (self._list, self._get, *(self._once(act) for act in acts))
        self._routes = Routes(list(zip(self.endpoints, handlers, strict=True)))

    def authorize(self, request: Request) -> Answer | None:
        given = request.headers.get("authorization", "")
        right = f"Bearer {self.connection.credentials['api_key']}"
        if hmac.compare_digest(given.encode(), right.encode()):
            return None
        return self.refuse(status=401, message="Invalid API key")

    def refuse(self, *, status: int, message: str) -> Answer:
        code = _CODES.get(status, "internal_error")
        return Answer(status=status, content={"error": {"code": code, "message": message}})

    def limit(self, request: Request) -> tuple[Answer | None, dict[str, str]]:
        window = self._reads if request.method == "GET" else self._writes
        allowance = window.take(self.clock.seconds())
        headers = {
            "X-RateLimit-Limit": str(allowance.limit),
            "X-RateLimit-Remaining": str(allowance.remaining),
            "X-RateLimit-Reset": str(allowance.reset),
        }
        if allowance.allowed:
            return None, headers
        refusal = self.refuse(status=429, message="Rate limit exceeded")
        refusal.headers["Retry-After"] = str(allowance.retry_after)
        return refusal, headers

    def handle(self, request: Request) -> Answer:
        return self._routes.answer(request)

    def page_number(self, request: Request) -> int | None:
        if request.path != "/v2/orders":
            return None
        cursor = request.query.get("cursor")
        return read_cursor(cursor).page if cursor else 1

    def entries(self, content: Json) -> list[Any] | None:
        data = content.get("data")
        return data if isinstance(data, list) else None

    def point_next(self, *, content: Json, request: Request, kind: str, location: str) -> None:
        page = self.page_number(request) or 1
        own = request.query.get("cursor") or str(Cursor(1, "", ""))
        target = {"foreign_next": location, "self_next": own}.get(
            kind, str(Cursor(page + 1, "", ""))
        )
        content["pagination"] |= {"next_cursor": target, "has_more": True}

    def tick(self) -> None:
        """Like :meth:`Account.tick`; fulfils the orders whose scheduled time has passed."""
        super().tick()
        now = format_time(self.clock.now())
        for id, due in list(self._due.items()):
            if due <= now:
                del self._due[id]
                self.move_order(id, {"status": "Fulfilled", "at": due})

    def create_order(self, fields: Mapping[str, Any]) -> Json:
        at, number, rng = self.time_of(fields), self.next_number(), self.random
        customer, address = make_dane(rng, number)
        kind = rng.choice(("credit_card", "credit_card", "invoice", "none"))
        order: Json = {
            "id": f"so-{90_000 + number}",
            "order_number": f"SP-{at[:4]}-{90_000 + number}",
            "status": "Pending",
            "status_changed_at": at,
            "created_at": at,
            "updated_at": at,
            "customer": customer,
            "address": address,
            "service_type": "ev_charging",
            "product": {"id": "prod-home-22", "name": "Home charging 22 kW"},
            "onboarding_flow": {"id": "flow-home-dk", "name": "Home DK"},
            "charge_box": {"serial_number": f"SPB-22-{number:06d}", "model": "Zaptec Go"},
            "payment": {"kind": kind, "status": "pending", "amount": "899.00", "currency": "DKK"},
            "activation_appointment": None,
            "fulfilment_scheduled_for": None,
            "fulfilled_at": None,
            "cancelled_at": None,
            "cancellation_reason": None,
            "installation": None,
            "emails": [_make_email(at=at, sent=rng.random() < 0.85)],
        }
        if kind == "credit_card":
            order["payment"]["status"] = "authorized"
        merge(order, {k: v for k, v in fields.items() if k not in {"at", "webhook"}})
        self._keep(order)
        return order

    def move_order(self, id: str, change: Mapping[str, Any]) -> Json:
        """Like :meth:`Account.move_order`: ``scheduledFor`` is the activation appointment.

        ``set`` is put over the whole order, ``store: false`` sends the webhook alone.
        """
        order, at = self.find_order(id), self.time_of(change)
        after: Json = {**deepcopy(order), "updated_at": at}
        status = change.get("status", order["status"])
        appointment = change.get("scheduledFor", order["activation_appointment"])
        if (status, appointment) != (order["status"], order["activation_appointment"]):
            after |= {"status": status, "status_changed_at": at}
            after["activation_appointment"] = appointment
        if status != order["status"]:
            _enter(after, at, reason=change.get("reason"))
        merge(after, change.get("set") or {})
        if change.get("store", True):
            order.update(after)
            self._keep(order)
        if change.get("webhook", True):
            self._announce(after, at=str(change.get("timestamp") or at))
        return order

    def _announce(self, order: Json, *, at: str) -> None:
        id = f"evt-{secrets.token_hex(6)}"
        content = {"id": id, "event": "order.updated", "created_at": at, "data": {"order": order}}
        self.send_webhook(event="order.updated", content=content, id=id)

    def _list(self, request: Request) -> Answer:
        limit = request.number("limit", default=25, least=1, most=100)
        text, since = request.query.get("cursor"), request.time("updated_since")
        cursor = read_cursor(text) if text else Cursor(1, "", "")
        place = (cursor.updated, cursor.id)
        places = self.ledger.changed_after(since=since, after=place, limit=limit + 1)
        more = len(places) > limit
        places = places[:limit]
        following = str(Cursor(cursor.page + 1, *places[-1])) if more else None
        pagination = {"next_cursor": following, "previous_cursor": text, "has_more": more}
        data = [self.find_order(id) for _, id in places]
        return Answer(content={"data": data, "pagination": pagination})

    def _get(self, _request: Request, id: str) -> Answer:
        return Answer(content={"data": self.find_order(id)})

    def _once(self, act: Any) -> Any:
        return lambda request, id: self.do_once(request, lambda: act(request, id))

    def _fulfill(self, request: Request, id: str) -> Answer:
        order, body = self._open_order(id), request.json()
        at = self.time_of({})
        if "scheduled_for" not in body:
            self.move_order(id, {"status": "Fulfilled", "at": at})
        else:
            due = _read_due(body["scheduled_for"], now=at)
            self.move_order(id, {"at": at, "set": {"fulfilment_scheduled_for": due}})
        due = body.get("scheduled_for")
        self.note_action(action="fulfill", order=id, request=request, scheduled_for=due)
        return Answer(content={"data": order})

    def _cancel(self, request: Request, id: str) -> Answer:
        order, reason = self._open_order(id), request.json().get("reason")
        self.move_order(id, {"status": "Cancelled", "reason": reason or "Cancelled by staff"})
        self.note_action(action="cancel", order=id, request=request, reason=reason)
        return Answer(content={"data": order})

    def _resend(self, request: Request, id: str) -> Answer:
        order = self.find_order(id)
        if order["status"] == "Cancelled":
            raise Refused(f"Order {id} is Cancelled: no confirmation can be sent")
        kinds = {email["type"]: email for email in order["emails"]}
        active = kinds.get("order_confirmation", {}).get("not_sent_reason") != _INACTIVE
        email = _make_email(at=self.time_of({}), sent=active)
        others = [e for e in order["emails"] if e["type"] != "order_confirmation"]
        self.move_order(id, {"set": {"emails": [*others, email]}})
        self.note_action(action="resend_confirmation", order=id, request=request, sent=active)
        return Answer(status=202, content={"data": {"email": email}})

    def _install(self, request: Request, id: str) -> Answer:
        order, at = self._open_order(id), self.time_of({})
        installation = {"partner": "Nordlys El", "initiated_at": at}
        self.move_order(id, {"at": at, "set": {"installation": installation}})
        self.note_action(action="initiate_installation", order=id, request=request)
        return Answer(status=202, content={"data": order})

    def _open_order(self, id: str) -> Json:
        order = self.find_order(id)
        if order["status"] in {"Fulfilled", "Cancelled"}:
            raise Refused(f"Order {id} is {order['status']}")
        return order

    def _keep(self, order: Json) -> None:
        id, due = str(order["id"]), order["fulfilment_scheduled_for"]
        is_open = order["status"] not in {"Fulfilled", "Cancelled"}
        if due and is_open:
            self._due[id] = str(due)
        else:
            self._due.pop(id, None)
        updated = self.written_at(str(order["updated_at"]))
        created = str(order["created_at"])
        self.ledger.put(id=id, order=order, updated=updated, created=created)


def _enter(order: Json, at: str, *, reason: object) -> None:
    paid = {**order["payment"]} if order["payment"] else {}
    by_card = paid.get("kind") == "credit_card"
    if order["status"] == "Fulfilled":
        order |= {"fulfilled_at": at, "fulfilment_scheduled_for": None}
        paid |= {"status": "captured"} if by_card else {}
    elif order["status"] == "Cancelled":
        order |= {"cancelled_at": at, "cancellation_reason": reason}
        order["fulfilment_scheduled_for"] = None
        paid |= {"status": "released"} if by_card else {}
    order["payment"] = paid or None


def _make_email(*, at: str, sent: bool) -> Json:
    return {
        "type": "order_confirmation",
        "sent": sent,
        "sent_at": at if sent else None,
        "not_sent_reason": None if sent else _INACTIVE,
    }


def _read_due(value: object, *, now: str) -> str | None:
    if value is None:
        return None
    try:
        due = format_time(parse_time(str(value)))
    except ValueError:
        raise BadRequest("scheduled_for must be an ISO 8601 time, or null") from None
    if due <= now:
        raise BadRequest("scheduled_for must lie ahead")
    return due
