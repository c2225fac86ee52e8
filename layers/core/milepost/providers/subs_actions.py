"""SUBS's actions on a service request: check the payment of a fee, send the code again."""

from collections.abc import Iterable, Mapping
from typing import Final

from milepost.common.status import Status, normal_form
from milepost.orders.details import Details, Invoice
from milepost.orders.lifecycle import OPEN
from milepost.orders.order import Order
from milepost.providers.base import BadArgument, Call, Json, NothingToDo, ProviderAction, say_done
from milepost.providers.envelopes import one_segment
from milepost.providers.payload_types import Id, MaybeFlag, Shape, Text, read_shape


def _check_invoice(order: Order, arguments: Json) -> Call:
    invoice = _wanted_invoice(order.details, arguments.get("invoice"))
    return Call(method="POST", path=f"/invoices/{one_segment(invoice)}/check")


def _wanted_invoice(details: Details, named: str | None) -> str:
    """The id of the invoice with this id or number; without one, of the unpaid invoice."""
    invoices = details.get("invoices", [])
    unpaid = [one for one in invoices if not one.get("paid")]
    found = [one for one in invoices if named and named in (one.get("id"), one.get("number"))]
    if named and not found:
        raise BadArgument(f"there is no such invoice; the order has {_listed(invoices)}")
    if not named and not unpaid:
        raise NothingToDo("no invoice of the order is unpaid")
    if not named and len(unpaid) > 1:
        raise BadArgument(f"name the invoice to check: {_listed(unpaid)}")
    return (found or unpaid)[0]["id"]


def _listed(invoices: Iterable[Invoice]) -> str:
    return ", ".join(one.get("number") or one["id"] for one in invoices) or "none"


def _resend_code(order: Order, _arguments: Json) -> Call:
    path = f"/service-requests/{one_segment(order.key.order_id)}/authorization-code"
    return Call(method="POST", path=path)


class CheckedInvoice(Shape):
    id: Id
    number: Text = None
    paid: MaybeFlag = None


class CheckedData(Shape):
    invoice: CheckedInvoice


class Checked(Shape):
    data: CheckedData


class AuthorizationCode(Shape):
    sent: MaybeFlag = None


class ResentData(Shape):
    authorization_code: AuthorizationCode


class Resent(Shape):
    data: ResentData


def _whether_paid(body: Json) -> str:
    invoice = read_shape(Checked, body).data.invoice
    if invoice.paid is None:
        return say_done(body)
    return f"invoice {invoice.number or invoice.id} is {'paid' if invoice.paid else 'not paid'}"


def _whether_sent(body: Json) -> str:
    sent = read_shape(Resent, body).data.authorization_code.sent
    return say_done(body) if sent is None else "sent" if sent else "not sent"


ACTIONS: Final[Mapping[str, ProviderAction]] = {
    "check_invoice": ProviderAction(
        statuses=OPEN,
        make_call=_check_invoice,
        read_outcome=_whether_paid,
        arguments=frozenset({"invoice"}),
    ),
    "resend_authorization_code": ProviderAction(
        statuses=frozenset({Status.ACCEPTED}),
        raw_statuses=frozenset({normal_form("Contract Generated")}),
        make_call=_resend_code,
        read_outcome=_whether_sent,
    ),
}
"""Source: the staff guide: *Check Status* of an invoice, and an authorization code that can be sent
again until the contract is signed, which is in Contract Generated. Once there is a connection fee,
it is signed. The project defined the calls (docs/providers/subs.md)."""
