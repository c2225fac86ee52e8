"""The facts of an order as labelled lines."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cli.local_times import Moments

Facts = Mapping[str, Any]

_NOTE_KINDS: Final = {
    "next_steps": "next steps",
    "timeline": "timeline",
    "customer_contact": "contact with the customer",
    "account_details": "account details",
    "special_instructions": "special instructions",
}
"""The five kinds of notes of Offergrid's documentation; any other is a note."""
_IDENTIFIERS: Final = (
    ("spn", "SPN"),
    ("meter_number", "meter"),
    ("malo", "MaLo"),
    ("melo", "MeLo"),
    ("account_number", "account"),
)


def fact_lines(details: Facts, moments: Moments) -> Iterator[str]:
    """All known facts."""
    lines = {
        "customer": _parts(details, "customer", "name", "business", "email", "phone", "number"),
        "address": _parts(
            details, "address", "street", "unit", "postcode", "city", "region", "country"
        ),
        "product": _product(details),
        "reason": _reason(details),
        "remark": _joined([details.get("processing_info"), details.get("delivery_message")]),
        "identifiers": _identifiers(details),
        "supply": _supply(details),
        "installer": _parts(details, "installer", "name", "kind"),
        "payment": _payment(details),
        "commission": _commission(details, moments),
    }
    yield from (f"{label}: {line}" for label, line in lines.items() if line)
    if at := details.get("fulfilment_at"):
        yield f"fulfilment planned at the provider: {moments.minute(at)}"
    for invoice in details.get("invoices") or ():
        yield f"invoice: {_invoice(invoice, moments)}"
    for note in details.get("notes") or ():
        yield f"{_NOTE_KINDS.get(note.get('kind'), 'note')}: {note.get('text', '')}"


def _joined(values: Sequence[Any], separator: str = ", ") -> str:
    return separator.join(str(one) for one in values if one not in (None, ""))


def _parts(details: Facts, name: str, *parts: str) -> str:
    fact = details.get(name) or {}
    return _joined([fact.get(one) for one in parts])


def _words(value: Any) -> str:
    return str(value or "").replace("_", " ")


def _product(details: Facts) -> str:
    supplier = (details.get("offer") or {}).get("supplier")
    box = _parts(details, "charge_box", "model", "serial_number")
    return _joined(
        [
            _parts(details, "offer", "name"),
            f"by {supplier}" if supplier else None,
            f"charge box {box}" if box else None,
            details.get("onboarding_flow"),
        ]
    )


def _reason(details: Facts) -> str:
    reason, cause = details.get("reason"), details.get("cause")
    if not reason:
        return _words(cause)
    return f"{reason} ({_words(cause)})" if cause else str(reason)


def _identifiers(details: Facts) -> str:
    return _joined([f"{label} {details[key]}" for key, label in _IDENTIFIERS if details.get(key)])


def _supply(details: Facts) -> str:
    start, end = details.get("delivery_start"), details.get("delivery_end")
    return _joined([f"from {start}" if start else None, f"ends {end}" if end else None])


def _amount(fact: Facts) -> str:
    return _joined([fact.get("amount"), fact.get("currency")], " ")


def _payment(details: Facts) -> str:
    payment = details.get("payment") or {}
    return _joined([_words(payment.get("kind")), _amount(payment), _words(payment.get("status"))])


def _commission(details: Facts, moments: Moments) -> str:
    commission = details.get("commission") or {}
    paid_at = commission.get("paid_at")
    paid = f"paid {moments.minute(paid_at)}" if paid_at else _words(commission.get("status"))
    return _joined([_amount(commission), paid])


def _invoice(invoice: Facts, moments: Moments) -> str:
    due = invoice.get("due_on")
    if invoice.get("paid"):
        paid_at = invoice.get("paid_at")
        state = f"paid {moments.minute(paid_at)}" if paid_at else "paid"
    else:
        state = f"not paid, due on {due}" if due else "not paid"
    number = invoice.get("number") or invoice.get("id")
    return _joined([number, _words(invoice.get("kind")), _amount(invoice), state])
