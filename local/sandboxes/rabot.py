"""RABOT Energy's partner API, according to docs/providers/rabot.md."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs

from local.sandboxes.account import Account
from local.sandboxes.invented_customers import (
    GERMANS,
    make_email,
    make_german_address,
    make_malo,
    make_melo,
)
from local.sandboxes.json_format import Json, format_berlin, format_berlin_day, merge, parse_time
from local.sandboxes.rate_limits import RateLimit
from local.sandboxes.request import Answer, Request
from local.sandboxes.routes import NoRoute, Routes

TOKEN_SECONDS: Final = 3_599
_SCOPES: Final = frozenset({"api:partner", "create:orders"})
_DELIVERY_STATES: Final = {
    "Processing": ("Registered", "Anmeldung beim Netzbetreiber"),
    "Denied": ("Denied", "Vom Netzbetreiber abgelehnt"),
    "PendingDelivery": ("Confirmed", "Lieferbeginn vom Netzbetreiber bestätigt"),
    "Delivery": ("Delivering", "Belieferung läuft"),
    "Cancelled": ("Ended", "Belieferung endet"),
}
_INFO: Final = {
    "Open": "Auftrag eingegangen",
    "Processing": "Wechselprozess gestartet",
    "Rejected": "Auftrag abgelehnt",
    "Denied": "Wechselprozess angehalten",
    "Revoked": "Auftrag widerrufen",
    "PendingDelivery": "Lieferbeginn bestätigt",
    "Delivery": "In Belieferung",
    "Cancelled": "Vertrag gekündigt",
}


class Rabot(Account):
    """A sales partner's account: OAuth2 tokens, offset pages, no webhooks."""

    statuses: ClassVar[tuple[str, ...]] = (
        "Open",
        "Processing",
        "Rejected",
        "Denied",
        "Revoked",
        "PendingDelivery",
        "Delivery",
        "Cancelled",
        "Unspecified",
    )
    id_field: ClassVar[str] = "contractNumber"
    endpoints: ClassVar[tuple[str, ...]] = (
        "POST /connect/token",
        "GET /partner/v1/orders",
        "GET /partner/v1/orders/{contractNumber}",
    )
    has_webhooks: ClassVar[bool] = False

    def reset_limits(self) -> None:
        self._limit = RateLimit([(60, 60)])
        self._tokens: dict[str, float] = {}
        handlers = (self._give_token, self._list_orders, self._get_order)
        self._routes = Routes(list(zip(self.endpoints, handlers, strict=True)))

    def forget_tokens(self) -> None:
        self._tokens.clear()

    def authorize(self, request: Request) -> Answer | None:
        if request.path == "/connect/token":
            return None
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        ends = self._tokens.get(token, 0.0) if kind.lower() == "bearer" else 0.0
        if self.clock.seconds() < ends:
            return None
        return Answer(status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})

    def refuse(self, *, status: int, message: str) -> Answer:
        if status == 401:
            self.forget_tokens()
            return Answer(status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        code = "NOT_FOUND" if status == 404 else f"HTTP_{status}"
        return Answer(status=status, content=make_failure(code=code, message=message))

    def limit(self, request: Request) -> tuple[Answer | None, dict[str, str]]:
        if request.path == "/connect/token":
            return None, {}
        allowance = self._limit.take(self.clock.seconds())
        if allowance.allowed:
            return None, {}
        refusal = self.refuse(status=429, message="Too many requests")
        refusal.headers["Retry-After"] = str(allowance.retry_after)
        return refusal, {}

    def handle(self, request: Request) -> Answer:
        return self._routes.answer(request)

    def page_number(self, request: Request) -> int | None:
        if request.path != "/partner/v1/orders":
            return None
        offset = request.number("offset", default=0, least=0, most=10**9)
        # Walking with overlap starts a page a little before the last one ended.
        limit = request.number("limit", default=10, least=1, most=100)
        return -(-offset // limit) + 1

    def entries(self, content: Json) -> list[Any] | None:
        data = content.get("data")
        return data.get("orders") if isinstance(data, dict) else None

    def point_next(self, *, content: Json, request: Request, kind: str, location: str) -> None:  # noqa: ARG002
        content["hasMoreItems"] = True
        if kind == "foreign_next":
            content["refUri"] = location

    def shift(self, request: Request, by: int) -> Request:
        offset = request.number("offset", default=0, least=0, most=10**9)
        return replace(request, query={**request.query, "offset": str(max(0, offset + by))})

    def create_order(self, fields: Mapping[str, Any]) -> Json:
        at, number, rng = parse_time(self.time_of(fields)), self.next_number(), self.random
        first, last = rng.choice(GERMANS)
        signed = format_berlin(at)
        order: Json = {
            "customerNumber": f"K-{204_000 + number}",
            "contractNumber": f"V-{1_009_000 + number}",
            "emailAddress": make_email(first, last, domain="example.de", number=number),
            "tariffName": rng.choice(("rabot.charge", "rabot.flexpower", "rabot.fix")),
            "firstName": first,
            "lastName": last,
            "businessName": None,
            "meterNumber": f"1EMH00{rng.randrange(10**8):08d}",
            "maLoIdentifier": make_malo(rng),
            "meLoIdentifier": make_melo(rng),
            "deliveryAddress": make_german_address(rng),
            "state": "Open",
            "processingInfo": _INFO["Open"],
            "denialReason": None,
            "deliveryState": None,
            "actualDateOfDelivery": None,
            "endDateOfDelivery": None,
            "contractSignatureDate": format_berlin_day(at),
            "contractSignedAt": signed,
            "estimatedYearlyConsumption": rng.randrange(1_500, 6_000, 50),
            "previousYearConsumption": rng.randrange(1_500, 6_000),
        }
        rest = {k: v for k, v in fields.items() if k not in {"at", "webhook", "status"}}
        if "status" in fields:
            rest["state"] = fields["status"]
        self._keep(merge(order, rest))
        return order

    def move_order(self, id: str, change: Mapping[str, Any]) -> Json:
        """Like :meth:`Account.move_order`: ``status`` is ``state``, ``scheduledFor`` the start
        date.

        ``reason`` is the denial's or the cancellation's. ``set`` is put over the whole order.
        Nothing dates the change on the wire, so ``at`` only dates the supply.
        """
        order, state = self.find_order(id), change.get("status", change.get("state"))
        if state is not None:
            order["state"] = state
            order["processingInfo"] = _INFO.get(str(state))
            self._enter(order, change)
        if change.get("scheduledFor"):
            start = format_berlin_day(parse_time(str(change["scheduledFor"])))
            order["actualDateOfDelivery"] = start
            merge(order, {"deliveryState": {"startDate": start}})
        merge(order, change.get("set") or {})
        self._keep(order)
        return order

    def _enter(self, order: Json, change: Mapping[str, Any]) -> None:
        state, reason = order["state"], change.get("reason")
        now = parse_time(self.time_of(change))
        denied, ended = state in {"Denied", "Rejected"}, state in {"Cancelled", "Revoked"}
        order["denialReason"] = reason if denied else None
        if state in _DELIVERY_STATES and not order["deliveryState"]:
            fields = ("startDate", "endDate", "state", "message")
            order["deliveryState"] = dict.fromkeys((*fields, "denialReason", "cancellationReason"))
        delivery = order["deliveryState"]
        if state == "PendingDelivery" and not order["actualDateOfDelivery"]:
            start = format_berlin_day(now + timedelta(days=9))
            order["actualDateOfDelivery"] = delivery["startDate"] = start
        if state == "Delivery":
            # Life in a demo is faster than its dates: supply that runs has begun by today.
            start = min(order["actualDateOfDelivery"] or "9", format_berlin_day(now))
            order["actualDateOfDelivery"] = delivery["startDate"] = start
        if state == "Cancelled":
            end = format_berlin_day(now + timedelta(days=30))
            order["endDateOfDelivery"] = delivery["endDate"] = end
        if delivery:
            inner = _DELIVERY_STATES.get(state, (delivery["state"], delivery["message"]))
            delivery["state"], delivery["message"] = inner
            delivery["denialReason"] = reason if denied else None
            delivery["cancellationReason"] = reason if ended else None

    def _give_token(self, request: Request) -> Answer:
        form = {k: v[0] for k, v in parse_qs(request.body.decode("utf-8", "replace")).items()}
        if form.get("grant_type") != "client_credentials":
            return Answer(status=400, content={"error": "unsupported_grant_type"})
        given = f"{form.get('client_id')}\n{form.get('client_secret')}"
        known = self.connection.credentials
        right = f"{known['client_id']}\n{known['client_secret']}"
        if not hmac.compare_digest(given.encode(), right.encode()):
            return Answer(status=400, content={"error": "invalid_client"})
        scope = form.get("scope", " ".join(sorted(_SCOPES)))
        if not set(scope.split()) <= _SCOPES:
            return Answer(status=400, content={"error": "invalid_scope"})
        token = f"sandbox-{secrets.token_urlsafe(24)}"
        self._tokens[token] = self.clock.seconds() + TOKEN_SECONDS
        content = {"access_token": token, "expires_in": TOKEN_SECONDS, "token_type": "Bearer"}
        return Answer(content={**content, "scope": scope})

    def _list_orders(self, request: Request) -> Answer:
        offset = request.number("offset", default=0, least=0, most=10**9)
        limit = request.number("limit", default=10, least=1, most=100)
        orders = self.ledger.newest(offset=offset, limit=limit)
        content = _envelope({"orders": orders})
        content["count"] = len(orders)
        content["hasMoreItems"] = offset + len(orders) < len(self.ledger) and bool(orders)
        return Answer(content=content)

    def _get_order(self, _request: Request, id: str) -> Answer:
        order = self.ledger.get(id)
        if order is None:
            raise NoRoute(status=404, message=f"Order {id} not found")
        return Answer(content={**_envelope({"order": order}), "count": 1})

    def _keep(self, order: Json) -> None:
        signed = str(order["contractSignedAt"])
        id = str(order["contractNumber"])
        self.ledger.put(id=id, order=order, updated=signed, created=signed)


def _envelope(data: Json | None) -> Json:
    return {
        "isSuccess": data is not None,
        "message": None,
        "error": [],
        "refUri": None,
        "data": data,
        "count": 0,
        "hasMoreItems": False,
    }


def make_failure(*, code: str, message: str) -> Json:
    """The envelope of a failure, which also comes with HTTP 200."""
    error = {"severity": "Error", "code": code, "message": message, "details": None}
    return {**_envelope(None), "message": message, "error": [error]}
