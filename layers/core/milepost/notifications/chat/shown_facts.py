"""The facts of an order that a chat may show: everybody can read it, and nobody can erase it.

A fact that is not named here is in no message, whatever a template says: an order is reduced before
its message is rendered. The customer's name is added if the subscription allows it; no address,
number, code, note or contact data ever is. Words of the provider may name anybody, so only
subscriptions that allow names get them, if they repeat nothing else that the order knows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, cast

from milepost.common.status import Status
from milepost.orders.attention import WITHOUT_THE_PROVIDERS_WORDS
from milepost.orders.details import Details, cause_in
from milepost.orders.disclosure import (
    CAUSES,
    WITHHELD_SOURCE,
    label_of_nobody,
    label_to_disclose,
    reason_for_colleagues,
    reason_to_disclose,
    status_to_disclose,
)
from milepost.orders.order import Attention, Entry, Order
from milepost.orders.personal_data_in_texts import repeats_facts
from milepost.orders.summary import Summary

_SHOWN: Final = (
    *("track", "appointment", "fulfilment_at", "completed_by", "ordered_at", "signed_at"),
    *("delivery_start", "delivery_end", "delivery_state", "unread"),
)
"""Facts that name nobody, as they are."""
_PARTS: Final[Mapping[str, frozenset[str]]] = {
    "authorization_code": frozenset({"sent", "sent_at"}),
    "invoices": frozenset({"kind", "paid", "due_on"}),
    "emails": frozenset({"type", "sent"}),
}
"""Parts of facts that name nobody. Deadlines follow from them, too."""
_OF_ACTIONS: Final = ("action", "action_key", "result", "planned_for", "acknowledged")
"""Says whether an action is planned; who planned it stays with the order."""
_OF_DATES: Final = ("appointment",)
"""Says whether an appointment was moved, or is the first."""

_EXPLAINING: Final = frozenset({"reason", "reason_source", "cause", "notes"})
"""What says why; of a report, only its own."""


def disclosed(order: Order, *, with_name: bool, withheld: str) -> Order:
    """The order with the facts that a chat may show.

    :param with_name: whether the customer's name, or their business', is one of them
    :param withheld: what replaces a text that may name somebody
    """
    known = order.details
    is_known = order.status is not Status.UNKNOWN or with_name
    return replace(
        order,
        details=_details(known, order.status, with_name=with_name, withheld=withheld),
        raw_status=status_to_disclose(order.raw_status, known) if is_known else None,
        timeline=tuple(
            _entry(entry, known, with_name=with_name, withheld=withheld) for entry in order.timeline
        ),
        attention=tuple(
            _attention(one, known, with_name=with_name, withheld=withheld)
            for one in order.attention
        ),
        summary=_summary(order.summary),
    )


def _entry(entry: Entry, known: Details, *, with_name: bool, withheld: str) -> Entry:
    report = entry.report
    said: dict[str, Any] = dict(report.details)
    # A name may be in another report only, so all data of the order is checked.
    facts = {name: fact for name, fact in known.items() if name not in _EXPLAINING}
    details = cast(Details, facts | said)
    kept: dict[str, Any] = {}
    if not _EXPLAINING.isdisjoint(said):
        kept = _reason(details, report.status, with_name=with_name, withheld=withheld)
    kept |= {name: said[name] for name in (*_OF_ACTIONS, *_OF_DATES) if name in said}
    is_known = report.status is not None or with_name
    raw_status = status_to_disclose(report.raw_status, details) if is_known else None
    kept_details = cast(Details, kept)
    return replace(entry, report=replace(report, details=kept_details, raw_status=raw_status))


def _summary(summary: Summary | None) -> Summary | None:
    """Its times, which are needed to calculate deadlines."""
    if summary is None:
        return None
    kept = {name: fact for name, fact in summary.details.items() if name in _OF_DATES}
    return replace(summary, details=cast(Details, kept), raw_status=None)


def _details(details: Details, status: Status, *, with_name: bool, withheld: str) -> Details:
    facts: dict[str, Any] = dict(details)
    shown: dict[str, Any] = {name: facts[name] for name in _SHOWN if name in facts}
    shown |= {name: _parts(facts[name], kept) for name, kept in _PARTS.items() if name in facts}
    shown |= _reason(details, status, with_name=with_name, withheld=withheld)
    shown |= {
        "reference": label_of_nobody(details.get("reference"), details),
        "service_type": label_to_disclose(details.get("service_type")),
        "offer": _offer(details) or None,
        "customer": (_name(details) or None) if with_name else None,
    }
    return cast(Details, {name: value for name, value in shown.items() if value is not None})


def _parts(fact: Any, kept: Iterable[str]) -> Any:
    """The parts of a fact, or of each of a list of facts, that may be shown."""
    if isinstance(fact, list | tuple):
        return [_parts(one, kept) for one in fact if isinstance(one, Mapping)]
    return (
        {name: fact[name] for name in kept if name in fact} if isinstance(fact, Mapping) else None
    )


def _reason(
    details: Details, status: Status | None, *, with_name: bool, withheld: str
) -> dict[str, Any]:
    """Reason and cause. If the reason may contain a name, only the cause is shown, if there is
    one.
    """
    of_rejection, cause = status is Status.REJECTED, cause_in(details)
    said = {"cause": cause} if cause else {}
    shown = reason_for_colleagues(details, of_rejection=of_rejection) if with_name else None
    if shown is not None:
        return {**said, "reason": shown}
    if cause in CAUSES or reason_to_disclose(details, of_rejection=of_rejection) is None:
        return dict(said)
    return {**said, "reason": withheld, "reason_source": WITHHELD_SOURCE}


def _offer(details: Details) -> dict[str, str]:
    return {
        name: text
        for name, text in dict(details.get("offer", {})).items()
        if name in ("id", "name", "supplier") and isinstance(text, str)
        if not repeats_facts(text, details)
    }


def _name(details: Details) -> dict[str, Any]:
    customer = dict(details.get("customer", {}))
    return {name: text for name, text in customer.items() if name in ("name", "business")}


def _attention(one: Attention, details: Details, *, with_name: bool, withheld: str) -> Attention:
    if not with_name and one.code in WITHOUT_THE_PROVIDERS_WORDS:
        return replace(one, text=WITHOUT_THE_PROVIDERS_WORDS[one.code])
    return replace(one, text=withheld) if repeats_facts(one.text, details) else one
