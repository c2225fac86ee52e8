"""The facts of an order that a chat may show: all read its channel, and nobody can erase it.

A fact that is not named here is in no message, whatever a template says: an order is reduced to
what an SNS message has, before its message is rendered. The customer's name is added if the
subscription allows it; no address, number, code, note or contact data ever is.
"""

from dataclasses import replace
from typing import Any, Final, cast

from milepost.common.status import Status
from milepost.orders.details import Details
from milepost.orders.disclosure import (
    label_of_nobody,
    label_to_disclose,
    reason_to_disclose,
    status_to_disclose,
)
from milepost.orders.naming import repeats_facts
from milepost.orders.order import Attention, Entry, Order

_SHOWN: Final = (
    *("cause", "reason_source", "track", "appointment", "fulfilment_at", "completed_by"),
    *("delivery_start", "delivery_end", "delivery_state", "unread"),
)
"""Facts that name nobody, as they are."""
_OF_ACTIONS: Final = ("action", "action_key", "result", "planned_for", "acknowledged")
"""Says whether an action is planned; who planned it stays with the order."""

_EXPLAINING: Final = frozenset({"reason", "reason_source", "cause", "notes"})
"""What says why; of a report, only its own."""


def disclosed(order: Order, *, with_name: bool, withheld: str) -> Order:
    """The order with the facts that a chat may show.

    :param with_name: whether the customer's name, or their business', is one of them
    :param withheld: what replaces a text that may name somebody
    """
    return replace(
        order,
        details=_details(order.details, order.status, with_name=with_name, withheld=withheld),
        raw_status=status_to_disclose(order.raw_status, order.details),
        timeline=tuple(_entry(entry, order.details, withheld) for entry in order.timeline),
        attention=tuple(_attention(one, order.details, withheld) for one in order.attention),
        summary=None,
    )


def _entry(entry: Entry, known: Details, withheld: str) -> Entry:
    report = entry.report
    said: dict[str, Any] = dict(report.details)
    # A name may be said by another report alone: what the order knows counts here too.
    facts = {name: fact for name, fact in known.items() if name not in _EXPLAINING}
    details = cast(Details, facts | said)
    shown: dict[str, Any] = dict(
        _details(details, report.status, with_name=False, withheld=withheld)
    )
    kept = {} if _EXPLAINING.isdisjoint(said) else _of_reason(shown)
    kept |= {name: said[name] for name in _OF_ACTIONS if name in said}
    raw_status = status_to_disclose(report.raw_status, details)
    kept_details = cast(Details, kept)
    return replace(entry, report=replace(report, details=kept_details, raw_status=raw_status))


def _of_reason(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: shown[name] for name in ("reason", "cause") if name in shown}


def _details(details: Details, status: Status | None, *, with_name: bool, withheld: str) -> Details:
    facts: dict[str, Any] = dict(details)
    shown: dict[str, Any] = {name: facts[name] for name in _SHOWN if name in facts}
    shown |= {
        "reference": label_of_nobody(details.get("reference"), details),
        "service_type": label_to_disclose(details.get("service_type")),
        "offer": _offer(details) or None,
        "reason": _reason(details, status, withheld),
        "customer": (_name(details) or None) if with_name else None,
    }
    return cast(Details, {name: value for name, value in shown.items() if value is not None})


def _reason(details: Details, status: Status | None, withheld: str) -> str | None:
    """The provider's words if they name nobody. Else the cause, if there is one, says enough."""
    shown = reason_to_disclose(details, of_rejection=status is Status.REJECTED)
    if shown is None or shown == details.get("reason"):
        return shown
    return None if details.get("cause") else withheld


def _offer(details: Details) -> dict[str, str]:
    return {
        name: text
        for name, text in dict(details.get("offer", {})).items()
        if name in ("name", "supplier") and isinstance(text, str)
        if not repeats_facts(text, details)
    }


def _name(details: Details) -> dict[str, Any]:
    customer = dict(details.get("customer", {}))
    return {name: text for name, text in customer.items() if name in ("name", "business")}


def _attention(one: Attention, details: Details, withheld: str) -> Attention:
    return replace(one, text=withheld) if repeats_facts(one.text, details) else one
