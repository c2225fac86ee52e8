"""Offergrid's reseller API, according to docs/providers/offergrid.md."""

import hmac
import zlib
from collections.abc import Mapping
from copy import deepcopy
from decimal import Decimal
from http import HTTPStatus
from typing import Any, ClassVar, Final

from local.sandboxes.account import Account, Refused, UnknownOrder
from local.sandboxes.invented_customers import make_australian
from local.sandboxes.json_format import Json, merge
from local.sandboxes.rate_limits import RateLimit
from local.sandboxes.request import Answer, BadRequest, Cursor, Request, read_cursor
from local.sandboxes.routes import Routes

OFFERS: Final = (
    ("off-nbn-1000", "High-Speed Internet 1000 Mbps", "internet", "Southern Fibre", "75.00"),
    ("off-energy-flex", "Green Energy Flex", "energy", "Bright Power Co", "60.00"),
    ("off-tv-family", "Family TV Plus", "tv", "Coast Media", "35.50"),
    ("off-alarm-24", "Home Alarm 24/7", "security", "SafeNest", "110.00"),
    ("off-contents", "Contents Insurance", "insurance", "Harbour Mutual", "42.00"),
    ("off-business-pro", "Business Internet Pro", "business", "Southern Fibre", "240.00"),
)
_SPECIFIC: Final = {
    "scheduled": ("order.scheduled", "scheduledFor"),
    "completed": ("order.completed", "accountNumber"),
    "rejected": ("order.rejected", "reason"),
}
_CANCELLABLE: Final = frozenset(
    {"pending", "submitted_to_provider", "accepted", "scheduled", "in_progress"}
)


class Offergrid(Account):
    """A reseller's account: orders of several items, each with its own status."""

    statuses: ClassVar[tuple[str, ...]] = (
        "pending",
        "submitted_to_provider",
        "accepted",
        "rejected",
        "scheduled",
        "in_progress",
        "completed",
        "active",
        "cancelled",
        "failed",
    )
    id_field: ClassVar[str] = "orderId"
    endpoints: ClassVar[tuple[str, ...]] = (
        "GET /reseller/orders",
        "GET /reseller/orders/{orderId}",
        "PATCH /reseller/orders/{orderId}/cancel",
    )

    def reset_limits(self) -> None:
        self._limit = RateLimit([(100, 60), (10_000, 3_600)])
        handlers = (self._list_orders, self._get_order, self._cancel_order)
        self._routes = Routes(list(zip(self.endpoints, handlers, strict=True)))

    def authorize(self, request: Request) -> Answer | None:
        given = request.headers.get("x-api-key", "")
        if hmac.compare_digest(given.encode(), self.connection.credentials["api_key"].encode()):
            return None
        return self.refuse(status=401, message="Invalid API key")

    def refuse(self, *, status: int, message: str) -> Answer:
        error = HTTPStatus(status).phrase
        content = {"statusCode": status, "message": message, "error": error}
        return Answer(status=status, content=content)

    def limit(self, request: Request) -> tuple[Answer | None, dict[str, str]]:  # noqa: ARG002
        allowance = self._limit.take(self.clock.seconds())
        if allowance.allowed:
            return None, {}
        refusal = self.refuse(status=429, message="Rate limit exceeded")
        refusal.headers["Retry-After"] = str(allowance.retry_after)
        return refusal, {}

    def handle(self, request: Request) -> Answer:
        return self._routes.answer(request)

    def page_number(self, request: Request) -> int | None:
        if request.path != "/reseller/orders":
            return None
        cursor = request.query.get("cursor")
        return read_cursor(cursor).page if cursor else 1

    def entries(self, content: Json) -> list[Any] | None:
        orders = content.get("orders")
        return orders if isinstance(orders, list) else None

    def point_next(self, *, content: Json, request: Request, kind: str, location: str) -> None:
        page = self.page_number(request) or 1
        own = request.query.get("cursor") or str(Cursor(1, "", ""))
        content["nextCursor"] = {"foreign_next": location, "self_next": own}.get(
            kind, str(Cursor(page + 1, "", ""))
        )

    def create_order(self, fields: Mapping[str, Any]) -> Json:
        at, number = self.time_of(fields), self.next_number()
        tail = f"{self.random.randrange(16**6):06x}-{number:05d}"
        customer, address = make_australian(self.random, number)
        order: Json = {
            "orderId": f"ord-{tail}",
            "createdAt": at,
            "updatedAt": at,
            "reference": f"PP-{_first_number(self.connection.id) + number}",
            "customer": customer,
            "address": address,
        }
        merge(order, {k: v for k, v in fields.items() if k not in {"items", "at", "webhook"}})
        given = fields.get("items") or [{}]
        order["items"] = [self._make_item(order, i, item) for i, item in enumerate(given, 1)]
        if "updatedAt" not in fields:
            order["updatedAt"] = max(str(item["updatedAt"]) for item in order["items"])
        self._keep(order)
        return order

    def _make_item(self, order: Json, index: int, given: Mapping[str, Any]) -> Json:
        offer = self.random.choice(OFFERS)
        wanted = [o for o in OFFERS if given.get("offerId") == o[0]]
        id, name, kind, supplier, amount = wanted[0] if wanted else offer
        item: Json = {
            "itemId": f"{order['orderId']}-{index}".replace("ord-", "item-", 1),
            "offerId": id,
            "offerName": name,
            "serviceType": kind,
            "provider": supplier,
            "status": "pending",
            "providerNotes": None,
            "reason": None,
            "scheduledFor": None,
            "accountNumber": None,
            "updatedAt": order["updatedAt"],
            "commission": {
                "amount": Decimal(amount),
                "currency": "AUD",
                "status": "pending",
                "paidAt": None,
            },
        }
        return merge(item, given)

    def move_order(self, id: str, change: Mapping[str, Any]) -> Json:
        """Like :meth:`Account.move_order`; also ``itemId``, ``providerNotes``, ``accountNumber``.

        ``set`` is put over the item, ``order`` over the order; ``events`` names the events to
        send instead of the usual ones; ``store: false`` sends them and changes nothing;
        ``timestamp`` is the webhook's when it differs from ``at``.
        """
        order = self.find_order(id)
        item = _find_item(order, change.get("itemId"))
        at, before = self.time_of(change), dict(item)
        after = {**deepcopy(item), **_changed_fields(change), "updatedAt": at}
        _settle_money(after)
        merge(after, change.get("set") or {})
        if change.get("store", True):
            item.update(after)
            merge(order, change.get("order") or {})
            order["updatedAt"] = max(str(i["updatedAt"]) for i in order["items"])
            self._keep(order)
        if change.get("webhook", True):
            timestamp = change.get("timestamp") or at
            for event in change.get("events") or _usual_events(before, after):
                self._announce(order, before, after, event=event, timestamp=timestamp)
        return order

    def _announce(
        self, order: Json, before: Json, after: Json, *, event: str, timestamp: str
    ) -> None:
        content: Json = {
            "event": event,
            "orderId": order["orderId"],
            "itemId": after["itemId"],
        }
        if event == "order.status_changed":
            content |= {"previousStatus": before["status"], "newStatus": after["status"]}
            if after["status"] in {"failed", "cancelled"} and after["reason"]:
                content["reason"] = after["reason"]
        for specific, field in _SPECIFIC.values():
            if specific == event:
                content[field] = after[field]
        content |= {"providerNotes": after["providerNotes"], "timestamp": timestamp}
        self.send_webhook(event=event, content=content)

    def _list_orders(self, request: Request) -> Answer:
        limit = request.number("limit", default=50, least=1, most=100)
        text, status = request.query.get("cursor"), request.query.get("status")
        cursor = read_cursor(text) if text else Cursor(1, "", "")
        if status is not None and status not in self.statuses:
            raise BadRequest(f"status must be one of: {', '.join(self.statuses)}")
        found, after = self._collect(request, cursor, limit=limit, status=status)
        more = str(Cursor(cursor.page + 1, *after)) if after else None
        return Answer(content={"orders": found, "nextCursor": more})

    def _collect(
        self, request: Request, cursor: Cursor, *, limit: int, status: str | None
    ) -> tuple[list[Json], tuple[str, str] | None]:
        """One page of orders, and the position after it if there are more."""
        since, place = request.time("updatedSince"), (cursor.updated, cursor.id)
        found: list[Json] = []
        while places := self.ledger.changed_after(since=since, after=place, limit=limit + 1):
            for next_place in places:
                order = self.find_order(next_place[1])
                if status and all(item["status"] != status for item in order["items"]):
                    place = next_place
                    continue
                if len(found) == limit:
                    return found, place
                found.append(order)
                place = next_place
        return found, None

    def _get_order(self, _request: Request, id: str) -> Answer:
        return Answer(content=self.find_order(id))

    def _cancel_order(self, request: Request, id: str) -> Answer:
        return self.do_once(request, lambda: self._cancel(request, id))

    def _cancel(self, request: Request, id: str) -> Answer:
        order, body = self.find_order(id), request.json()
        wanted = [_find_item(order, body["itemId"])] if body.get("itemId") else order["items"]
        open_items = [item for item in wanted if item["status"] in _CANCELLABLE]
        if not open_items:
            states = ", ".join(f"item {i['itemId']} is {i['status']}" for i in wanted)
            raise Refused(f"Order {id} cannot be cancelled: {states}")
        reason = body.get("reason") or "Cancelled by reseller"
        for item in open_items:
            change = {"itemId": item["itemId"], "status": "cancelled", "reason": reason}
            self.move_order(id, change)
        items = [item["itemId"] for item in open_items]
        self.note_action(action="cancel", order=id, request=request, items=items, reason=reason)
        return Answer(content=order)

    def _keep(self, order: Json) -> None:
        self.ledger.put(
            id=str(order["orderId"]),
            order=order,
            updated=self.written_at(str(order["updatedAt"])),
            created=str(order["createdAt"]),
        )


def _first_number(connection: str) -> int:
    """The first of an account's references: no two accounts have the same references."""
    return 20_000 + 100 * (zlib.crc32(connection.encode()) % 100)


def _find_item(order: Json, id: object) -> Json:
    items: list[Json] = order["items"]
    for item in items:
        if id is None or item["itemId"] == id:
            return item
    raise UnknownOrder(f"Item {id} not found in order {order['orderId']}")


def _changed_fields(change: Mapping[str, Any]) -> Json:
    """Status and date stay unless they are given; notes and reason belong only to one change."""
    kept = {k: change[k] for k in ("status", "scheduledFor", "accountNumber") if k in change}
    return {**kept, "providerNotes": change.get("providerNotes"), "reason": change.get("reason")}


def _settle_money(item: Json) -> None:
    if item["status"] in {"completed", "active"} and not item["accountNumber"]:
        item["accountNumber"] = f"AC-{zlib.crc32(str(item['itemId']).encode()) % 10**7:07d}"
    commission = item.get("commission")
    done = item["status"] in {"completed", "active"}
    if isinstance(commission, dict) and done and commission.get("status") == "pending":
        item["commission"] = {**commission, "status": "earned"}


def _usual_events(before: Json, after: Json) -> list[str]:
    if before["status"] != after["status"]:
        specific = _SPECIFIC.get(str(after["status"]))
        return ["order.status_changed", *([specific[0]] if specific else [])]
    if before["scheduledFor"] != after["scheduledFor"]:
        return ["order.scheduled"]
    return []
