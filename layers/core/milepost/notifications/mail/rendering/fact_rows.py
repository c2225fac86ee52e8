"""The table of facts: which rows a mail shows, with which labels, to whom."""

from typing import Any, Final

from milepost.common.status import Status
from milepost.notifications.mail.rendering.context import Telling
from milepost.notifications.mail.rendering.fact_readers import number_of, part, text_of
from milepost.notifications.mail.rendering.sanitize import clean, upper_first
from milepost.orders.order import Kind

_CAME_TO_NOTHING: Final = frozenset({Status.REJECTED, Status.FAILED, Status.CANCELLED})


def fact_rows(told: Telling, values: dict[str, Any]) -> list[tuple[str, str]]:
    """Labels and values, in the order in which they are read; without a value, no row."""
    own = _for_customer(values) if told.for_customer else _for_team(told, values)
    rows = [*_of_order(told, values), *_of_dates(told, values), *_of_completion(told, values), *own]
    labels = told.words["labels"]
    return [(labels[name], value) for name, value in rows if value]


def _of_order(told: Telling, values: dict[str, Any]) -> list[tuple[str, str | None]]:
    named = values["what"] != told.words["some_service"]
    return [
        ("reference", values["reference"]),
        ("service", upper_first(values["what"]) if named else None),
        ("supplier", values["supplier"]),
        ("name" if told.for_customer else "customer", values["customer"]),
        ("address", values["address"]),
    ]


def _of_dates(told: Telling, values: dict[str, Any]) -> list[tuple[str, str | None]]:
    label = "appointment"
    if values["starts_supply"]:
        label = "supply_start"
    elif values["activates"]:
        label = "activation"
    return [
        # An appointment of an order that ended without success would still be kept by somebody.
        (label, None if told.order.status in _CAME_TO_NOTHING else values["appointment"]),
        ("supply_end", values["delivery_end"]),
        ("expected_by", values["expected_by"]),
    ]


def _of_completion(told: Telling, values: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Numbers that people look for again, above all once the order is complete."""
    box = part(told.details, "charge_box")
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


def _for_team(told: Telling, values: dict[str, Any]) -> list[tuple[str, str | None]]:
    details = told.details
    now, order_id = values["status_now"], values["order_id"]
    remarks = (text_of(details.get(name)) for name in ("processing_info", "delivery_message"))
    return [
        ("malo", values["malo"]),
        ("installer", _installer(told)),
        ("commission", _commission(told)),
        ("remark", clean(" ".join(filter(None, remarks)))),
        ("next_by", values["next_by"]),
        ("since", values["since"] if now is None else values["occurred_at"]),
        ("status_now", upper_first(now) if now else None),
        ("raw_status", values["raw_status"]),
        ("order_id", order_id if order_id != values["reference"] else None),
        ("connection", values["connection"]),
    ]


def _installer(told: Telling) -> str | None:
    installer = part(told.details, "installer")
    name = clean(text_of(installer.get("name")) or "", 120)
    kind = told.words["installers"].get(text_of(installer.get("kind")) or "", "")
    return f"{name} ({kind})" if name and kind else name or upper_first(kind)


def _commission(told: Telling) -> str | None:
    """What the sale earns, once it is earned: the customer's mail never shows it."""
    if told.notice.announcement.kind is not Kind.COMPLETED:
        return None
    commission = part(told.details, "commission")
    currency = text_of(commission.get("currency"))
    amount = told.moments.amount(number_of(commission.get("amount")), currency)
    status = told.words["commissions"].get(text_of(commission.get("status")) or "")
    return f"{amount} ({status})" if amount and status else amount
