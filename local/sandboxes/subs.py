"""SUBS's service requests API, according to docs/providers/subs.md."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, Final

from local.sandboxes.account import Account, Refused, UnknownOrder
from local.sandboxes.invented_customers import make_ghanaian
from local.sandboxes.json_format import Json, merge, parse_time
from local.sandboxes.request import Answer, Request
from local.sandboxes.routes import Routes

_CODES: Final = {
    400: "bad_request",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    422: "idempotency_key_reused",
    429: "too_many_requests",
}
_INSTALLERS: Final = (
    ("meter_installer", "Adinkra Metering"),
    ("farming_out_contractor", "Volta Line Works"),
    ("meter_supplier", "Sankofa Meters"),
)
_FEES: Final = {
    ("overhead", "single_phase"): "640.00",
    ("overhead", "three_phase"): "1280.00",
    ("underground", "single_phase"): "985.50",
    ("underground", "three_phase"): "1975.25",
}


class Subs(Account):
    """A distributor's account: service requests, invoices, authorization codes."""

    statuses: ClassVar[tuple[str, ...]] = (
        "Application Fee Generated",
        "Inspection Initiated",
        "Inspection Failed",
        "Contract Generated",
        "Connection Fee Generated",
        "Installation Initiated",
        "Completed",
    )
    id_field: ClassVar[str] = "id"
    endpoints: ClassVar[tuple[str, ...]] = (
        "GET /service-requests",
        "GET /service-requests/{id}",
        "POST /invoices/{id}/check",
        "POST /service-requests/{id}/authorization-code",
    )

    def reset_limits(self) -> None:
        # Revisions start again with every run: tags of two runs must differ anyway.
        self._run = secrets.token_hex(8)
        self._settled: set[str] = set()
        self._owners: dict[str, str] = {}
        handlers = (self._list, self._get, self._check_invoice, self._resend_code)
        self._routes = Routes(list(zip(self.endpoints, handlers, strict=True)))

    def authorize(self, request: Request) -> Answer | None:
        given = request.headers.get("authorization", "")
        right = f"Bearer {self.connection.credentials['token']}"
        if hmac.compare_digest(given.encode(), right.encode()):
            return None
        return self.refuse(status=401, message="The token is not valid.")

    def refuse(self, *, status: int, message: str) -> Answer:
        code = _CODES.get(status, "server_error")
        return Answer(status=status, content={"error": {"code": code, "message": message}})

    def handle(self, request: Request) -> Answer:
        answer = self._routes.answer(request)
        if request.method == "GET" and answer.status == 200:
            return self._tag(request, answer)
        return answer

    def page_number(self, request: Request) -> int | None:
        if request.path != "/service-requests":
            return None
        return request.number("page", default=1, least=1, most=10**9)

    def entries(self, content: Json) -> list[Any] | None:
        data = content.get("data")
        return data if isinstance(data, list) else None

    def point_next(self, *, content: Json, request: Request, kind: str, location: str) -> None:  # noqa: ARG002
        content["last_page"] = int(content["page"]) + 1
        if kind == "foreign_next":
            content["next"] = location

    def shift(self, request: Request, by: int) -> Request:
        return replace(request, query={**request.query, "_shift": str(by)})

    def create_order(self, fields: Mapping[str, Any]) -> Json:
        at, number, rng = self.time_of(fields), self.next_number(), self.random
        customer, address = make_ghanaian(rng, number)
        order: Json = {
            "id": f"sr-{number:06d}",
            "reference": f"NC-{at[:4]}-{number:06d}",
            "milestone": "Application Fee Generated",
            "previous_milestone": None,
            "milestone_at": at,
            "reason": None,
            "created_at": at,
            "updated_at": at,
            "customer": customer,
            "address": address,
            "service_type": "new_connection",
            "installation_type": rng.choice(("overhead", "underground")),
            "meter_phase": rng.choice(("single_phase", "three_phase")),
            "invoices": [],
            "authorization_code": {"sent": False, "sent_at": None},
            "installer": None,
            "spn": None,
            "meter_number": None,
            "account_number": None,
        }
        merge(order, {k: v for k, v in fields.items() if k not in {"at", "webhook", "status"}})
        if "status" in fields:
            order["milestone"] = fields["status"]
        if "invoices" not in fields:
            order["invoices"] = [_make_invoice(order, kind="application_fee", at=at)]
        self._keep(order)
        return order

    def move_order(self, id: str, change: Mapping[str, Any]) -> Json:
        """Like :meth:`Account.move_order`: ``status`` is the milestone.

        What a milestone brings (fees paid and generated, code, installer, numbers) comes with it.
        ``set`` is put over the whole request, ``store: false`` sends the webhook alone.
        """
        order, at = self.find_order(id), self.time_of(change)
        after: Json = {**deepcopy(order), "updated_at": at}
        milestone = change.get("status", change.get("milestone"))
        if milestone is not None and milestone != order["milestone"]:
            after |= {
                "milestone": milestone,
                "previous_milestone": order["milestone"],
                "milestone_at": at,
                "reason": change.get("reason"),
            }
            self._enter(after, at)
        merge(after, change.get("set") or {})
        if change.get("store", True):
            order.update(after)
            self._keep(order)
        if change.get("webhook", True):
            self._announce(after, at=str(change.get("timestamp") or at))
        return order

    def settle_invoice(self, id: str) -> Json:
        """The customer paid at the bank; SUBS finds out when the invoice is checked."""
        _, invoice = self._find_invoice(id)
        self._settled.add(id)
        return invoice

    def _enter(self, order: Json, at: str) -> None:
        milestone, number = order["milestone"], str(order["id"]).rpartition("-")[2]
        if milestone == "Inspection Initiated":
            _pay(order, kind="application_fee", at=at)
        elif milestone == "Contract Generated":
            order["authorization_code"] = {"sent": True, "sent_at": at}
        elif milestone == "Connection Fee Generated":
            fee = _make_invoice(order, kind="connection_fee", at=at)
            order["invoices"] = [*order["invoices"], fee]
        elif milestone == "Installation Initiated":
            _pay(order, kind="connection_fee", at=at)
            kind, name = self.random.choice(_INSTALLERS)
            order["installer"] = {"kind": kind, "name": name}
        elif milestone == "Completed":
            order |= {
                "spn": f"SPN-2{number}88",
                "meter_number": f"MT{number}417",
                "account_number": f"7{number}0012",
            }

    def _announce(self, order: Json, *, at: str) -> None:
        id = f"evt-{secrets.token_hex(6)}"
        event = "service_request.updated"
        content: Json = {"event": event, "id": id, "created_at": at}
        content["data"] = {"service_request": order}
        self.send_webhook(event=event, content=content, id=id)

    def _list(self, request: Request) -> Answer:
        page = request.number("page", default=1, least=1, most=10**9)
        size = request.number("per_page", default=25, least=1, most=100)
        offset = max(0, (page - 1) * size + int(request.query.get("_shift", 0)))
        since = request.time("updated_since")
        orders, total = self.ledger.oldest(since=since, offset=offset, limit=size)
        last = max(1, -(-total // size))
        return Answer(content={"data": orders, "page": page, "last_page": last})

    def _get(self, _request: Request, id: str) -> Answer:
        return Answer(content={"data": self.find_order(id)})

    def _tag(self, request: Request, answer: Answer) -> Answer:
        asked = f"{self.ledger.revision} {request.path} {sorted(request.query.items())}"
        seed = f"{self._run} {asked}"
        tag = f'"{hashlib.sha256(seed.encode()).hexdigest()[:32]}"'
        known = request.headers.get("if-none-match", "")
        if tag in [part.strip() for part in known.split(",")]:
            return Answer(status=304, headers={"ETag": tag})
        answer.headers["ETag"] = tag
        return answer

    def _check_invoice(self, request: Request, id: str) -> Answer:
        return self.do_once(request, lambda: self._check(request, id))

    def _check(self, request: Request, id: str) -> Answer:
        order, invoice = self._find_invoice(id)
        found = id in self._settled and not invoice["paid"]
        if found:
            self._note_payment(order, invoice)
        request_id = str(order["id"])
        self.note_action(action="check_invoice", order=request_id, request=request, invoice=id)
        _, invoice = self._find_invoice(id)
        return Answer(content={"data": {"invoice": invoice, "service_request": order}})

    def _note_payment(self, order: Json, invoice: Json) -> None:
        moves = {
            ("application_fee", "Application Fee Generated"): "Inspection Initiated",
            ("connection_fee", "Connection Fee Generated"): "Installation Initiated",
        }
        at = self.time_of({})
        _pay(order, kind=str(invoice["kind"]), at=at)
        milestone = moves.get((str(invoice["kind"]), str(order["milestone"])))
        self.move_order(str(order["id"]), {"at": at, "status": milestone or order["milestone"]})

    def _resend_code(self, request: Request, id: str) -> Answer:
        return self.do_once(request, lambda: self._resend(request, id))

    def _resend(self, request: Request, id: str) -> Answer:
        order = self.find_order(id)
        if order["milestone"] != "Contract Generated":
            raise Refused(f"No authorization code can be sent at {order['milestone']}")
        code = {"sent": True, "sent_at": self.time_of({})}
        self.move_order(id, {"at": code["sent_at"], "set": {"authorization_code": code}})
        self.note_action(action="resend_authorization_code", order=id, request=request)
        return Answer(status=202, content={"data": {"authorization_code": code}})

    def _find_invoice(self, id: str) -> tuple[Json, Json]:
        order = self.ledger.get(self._owners.get(id, ""))
        for invoice in order["invoices"] if order else []:
            if order and invoice["id"] == id:
                return order, invoice
        raise UnknownOrder(f"Invoice {id} not found")

    def _keep(self, order: Json) -> None:
        id = str(order["id"])
        for invoice in order["invoices"]:
            self._owners[str(invoice["id"])] = id
        updated = self.written_at(str(order["updated_at"]))
        created = str(order["created_at"])
        self.ledger.put(id=id, order=order, updated=updated, created=created)


def _make_invoice(order: Json, *, kind: str, at: str) -> Json:
    place = len(order["invoices"]) + 1
    number = str(order["id"]).rpartition("-")[2]
    fee = _FEES.get((str(order["installation_type"]), str(order["meter_phase"])), "640.00")
    return {
        "id": f"inv-{number}-{place}",
        "number": f"NE-88{number}{place}",
        "kind": kind,
        "amount": "149.90" if kind == "application_fee" else fee,
        "currency": "GHS",
        "paid": False,
        "paid_at": None,
        "due_on": (parse_time(at) + timedelta(days=14)).date().isoformat(),
    }


def _pay(order: Json, *, kind: str, at: str) -> None:
    order["invoices"] = [
        {**invoice, "paid": True, "paid_at": at}
        if invoice["kind"] == kind and not invoice["paid"]
        else invoice
        for invoice in order["invoices"]
    ]
