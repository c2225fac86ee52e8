"""The table of facts in a mail: its rows, labels, and which audience sees each."""

from typing import Any, Final

from milepost.common.status import Status
from milepost.notifications.mail.rendering.context import MailContext
from milepost.notifications.mail.rendering.fact_readers import number_of, part, text_of
from milepost.notifications.mail.rendering.sanitize import clean, upper_first
from milepost.orders.order import Kind

_CAME_TO_NOTHING: Final = frozenset({Status.REJECTED, Status.FAILED, Status.CANCELLED})


def fact_rows(context: MailContext, values: dict[str, Any]) -> list[tuple[str, str]]:
    """Labels and values, in the order in which they are shown; a fact without a value has no
    row.
    """
    own = _for_customer(values) if context.for_customer else _for_team(context, values)
    rows = [
        *_of_order(context, values),
        *_of_dates(context, values),
        *_of_completion(context, values),
        *own,
    ]
    labels = context.words["labels"]
    return [(labels[name], value) for name, value in rows if value]


def _of_order(context: MailContext, values: dict[str, Any]) -> list[tuple[str, str | None]]:
    named = values["what"] != context.words["some_service"]
    return [
        ("reference", values["reference"]),
        ("service", upper_first(values["what"]) if named else None),
        ("supplier", values["supplier"]),
        ("name" if context.for_customer else "customer", values["customer"]),
        ("address", values["address"]),
    ]


def _of_dates(context: MailContext, values: dict[str, Any]) -> list[tuple[str, str | None]]:
    label = "appointment"
    if values["starts_supply"]:
        label = "supply_start"
    elif values["activates"]:
        label = "activation"
    return [
        # Somebody might still keep the appointment of an order that ended without success.
        (label, None if context.order.status in _CAME_TO_NOTHING else values["appointment"]),
        ("supply_end", values["delivery_end"]),
        ("expected_by", values["expected_by"]),
    ]


def _of_completion(context: MailContext, values: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Numbers that people need later, above all after the order is complete."""
    box = part(context.details, "charge_box")
    model = " ".join(text_of(box.get(name)) or "" for name in ("model", "serial_number"))
    return [
        ("account_number", values["account_number"]),
        ("meter_number", values["meter_number"]),
        ("spn", values["spn"]),
        ("charge_box", clean(model, 120)),
    ]


def _for_customer(values: dict[str, Any]) -> list[tuple[str, str | None]]:
    now = values["status_now"]
    return [("status_now", upper_first(now) if now else None)]


def _for_team(context: MailContext, values: dict[str, Any]) -> list[tuple[str, str | None]]:
    details = context.details
    now, order_id = values["status_now"], values["order_id"]
    remarks = (text_of(details.get(name)) for name in ("processing_info", "delivery_message"))
    return [
        ("malo", values["malo"]),
        ("installer", _installer(context)),
        ("commission", _commission(context)),
        ("remark", clean(" ".join(filter(None, remarks)))),
        ("next_by", values["next_by"]),
        ("forecast", values["forecast"]),
        ("since", values["since"] if now is None else values["occurred_at"]),
        ("status_now", upper_first(now) if now else None),
        ("raw_status", values["raw_status"]),
        ("order_id", order_id if order_id != values["reference"] else None),
        ("connection", values["connection"]),
    ]


def _installer(context: MailContext) -> str | None:
    installer = part(context.details, "installer")
    name = clean(text_of(installer.get("name")) or "", 120)
    kind = context.words["installers"].get(text_of(installer.get("kind")) or "", "")
    return f"{name} ({kind})" if name and kind else name or upper_first(kind)


def _commission(context: MailContext) -> str | None:
    """The commission of the sale, once it has been earned; never in a customer's mail."""
    if context.notice.announcement.kind is not Kind.COMPLETED:
        return None
    commission = part(context.details, "commission")
    currency = text_of(commission.get("currency"))
    amount = context.moments.amount(number_of(commission.get("amount")), currency)
    status = context.words["commissions"].get(text_of(commission.get("status")) or "")
    return f"{amount} ({status})" if amount and status else amount
