"""What templates may say of an order: its facts, cleaned and in the recipient's language.

Facts are those of the order as it stands when the mail is written. What belongs to the announced
status alone, such as the reason of a rejection, is looked up on the timeline if the order has
moved on since.
"""

import re
from typing import Any, Final

from milepost.deadlines import expected_by, next_date, next_step_by, usual_end
from milepost.lifecycle import TERMINAL
from milepost.notices import TELLING_WHY
from milepost.order import Kind
from milepost.rendering.open_points import attention_sentences, open_points
from milepost.rendering.plain import clean, shorten, upper_first
from milepost.rendering.rows import fact_rows
from milepost.rendering.telling import Telling
from milepost.rendering.words import Words, language_for
from milepost.report import Address, Details, Note, Status

Values = dict[str, Any]

_DONE: Final = frozenset({Status.COMPLETED, Status.ACTIVE})
_LONGEST_NAME: Final = 120
_NOT_A_NAME: Final = re.compile(r"[<>{}\[\]@\\|]|://|www\.|\.\w{2,}/", re.IGNORECASE)
_LONGEST_GREETED: Final = 50
_FOR_CUSTOMERS: Final = frozenset(
    {"next_steps", "timeline", "account_details", "special_instructions"}
)
"""Notes that speak to the customer; the others are between the provider and the team."""


def mail_values(told: Telling) -> Values:
    """All values of a template, by name; one that isn't known is None."""
    values = {
        **_of_announcement(told),
        **_of_order(told),
        **_of_reason(told),
        **_of_times(told),
        "words": told.words,
        "open_points": open_points(
            told.details,
            words=told.words["open_customer" if told.for_customer else "open_team"],
            fees=told.words["fees"],
            moments=told.moments,
        )
        if told.order.status not in TERMINAL
        else [],
        "attention": attention_sentences(told.order, told.words),
        "contact": _named(told.connection.contact),
        "unsubscribe_url": None,
        "sample": False,
    }
    return {**values, "facts": fact_rows(told, values)}


def _of_announcement(told: Telling) -> Values:
    one, words = told.notice.announcement, told.words
    key = told.notice.key
    return {
        "language": language_for(told.notice.language),
        "audience": str(told.notice.audience),
        "kind": str(one.kind),
        "kind_name": words["kinds"][one.kind],
        "status": str(one.status),
        "status_name": words["statuses"][one.status],
        "stands_now": _stands_now(told),
        "status_now": None if told.holds else words["statuses"][told.order.status],
        "previous_status_name": words["statuses"][one.previous] if one.previous else None,
        "correction": one.correction,
        "connection": told.connection.id,
        "provider": told.connection.provider,
        "order_id": clean(key.order_id, _LONGEST_NAME),
        "item_id": clean(key.item_id, _LONGEST_NAME),
        "raw_status": None if told.for_customer else _named(told.order.raw_status),
    }


def _stands_now(told: Telling) -> str | None:
    """How the order stands, where that isn't what was announced or the mail was forced."""
    stands, said = told.order.status, told.notice.announcement.status
    if not told.notice.forced and (told.holds or {stands, said} <= _DONE):
        return None
    return str(told.words["stands_now"].format(status=told.words["statuses"][stands]))


def _of_order(told: Telling) -> Values:
    details, words = told.details, told.words
    offer, customer = details.get("offer", {}), details.get("customer", {})
    service = _service(details, words)
    supplier = _named(offer.get("supplier"))
    reference = clean(details.get("reference") or told.notice.key.order_id, _LONGEST_NAME)
    name = _named(customer.get("business")) or _named(customer.get("name"))
    return {
        "reference": reference,
        "what": _named(offer.get("name")) or service or words["some_service"],
        "service": service,
        "supplier": supplier,
        "supplier_name": supplier or words["the_provider"],
        "customer": name,
        "who": ", ".join(shorten(part, 40) for part in (name, reference) if part),
        "greeting": _greeting(customer.get("name") or customer.get("business"), words),
        "address": _one_line_address(details.get("address", {})),
        "account_number": _named(details.get("account_number")),
        "meter_number": _named(details.get("meter_number")),
        "malo": _named(details.get("malo")),
        "spn": _named(details.get("spn")),
        "service_type": _named(details.get("service_type")),
    }


def _of_reason(told: Telling) -> Values:
    reason, cause = _reason(told)
    causes = told.words["causes"]
    known = causes.get(cause or ("other" if reason else "none"), causes["other"])
    name = known["name"]
    named = cause in causes and cause not in ("other", "none")
    if told.for_customer:
        name = known.get("name_to_customer", name)
    form = "missing" if reason is None else "with_cause" if named else "given"
    return {
        "reason": reason,
        "reason_line": told.words["reasons"][form].format(cause=name, reason=reason),
        "cause": cause,
        "cause_name": name if named else None,
        "cause_next": known["customer" if told.for_customer else "team"],
        "notes": _notes(told, reason or ""),
    }


def _of_times(told: Telling) -> Values:
    details, moments, order = told.details, told.moments, told.order
    since = told.notice.announcement.announced_at
    due = next_step_by(order, told.connection)
    is_ahead = told.holds and next_date(order, told.connection) > since
    by = expected_by(order, told.connection)
    ahead = told.holds and order.status not in TERMINAL
    return {
        "occurred_at": moments.full(told.notice.announcement.occurred_at),
        "since": moments.full(order.since),
        "usual_until": moments.day(usual_end(order, told.connection)),
        "next_by": moments.day(due) if is_ahead else None,
        "expected_by": moments.day(by)
        if by and by > since and not order.appointment and ahead
        else None,
        "appointment": moments.full(details.get("appointment")),
        "appointment_short": moments.short(details.get("appointment")),
        "starts_supply": "delivery_start" in details or details.get("service_type") == "energy",
        "activates": details.get("service_type") == "ev_charging",
        "delivery_start": moments.day(details.get("delivery_start")),
        "delivery_end": moments.day(details.get("delivery_end")),
    }


def _reason(told: Telling) -> tuple[str | None, str | None]:
    """Reason and cause of the announced status, even if the order has left it since."""
    explained = told.details if told.holds else Details()
    if not explained.get("reason"):
        said = [entry.report for entry in told.order.timeline]
        status: Status = told.notice.announcement.status
        reasons = (r.details for r in reversed(said) if r.status is status)
        explained = next((d for d in reasons if d.get("reason")), Details())
    reason = explained.get("reason")
    if not reason and told.notice.announcement.kind is Kind.REJECTED:
        # Some events say why in their notes alone.
        reason = " ".join(note["text"] for note in _explaining_notes(told))
    return (clean(reason) or None if reason else None), explained.get("cause")


def _explaining_notes(told: Telling) -> list[Note]:
    kinds = TELLING_WHY & _FOR_CUSTOMERS if told.for_customer else TELLING_WHY
    return [note for note in told.details.get("notes", []) if note["kind"] in kinds]


def _notes(told: Telling, reason: str) -> list[dict[str, str]]:
    """The provider's notes, but not those that the reason already says."""
    listed: list[Note] = told.details.get("notes", [])
    if told.for_customer:
        listed = [note for note in listed if note.get("kind") in _FOR_CUSTOMERS]
    labels = told.words["note_kinds"]
    cleaned = [(note.get("kind", "other"), clean(note.get("text", ""))) for note in listed]
    return [
        {"kind": kind, "label": labels.get(kind, labels["other"]), "text": text}
        for kind, text in cleaned
        if text and text not in reason
    ]


def _named(value: object) -> str | None:
    return clean(value, _LONGEST_NAME) or None if value else None


def _service(details: Details, words: Words) -> str | None:
    """The service type in the mail's language; one without a word here as the provider says it."""
    service = details.get("service_type")
    if not service:
        return None
    known = words["services"].get(service)
    return str(known) if known else clean(service.replace("_", " "), 60) or None


def _greeting(name: str | None, words: Words) -> str:
    """By name, unless the name is none: what has links or markup in it is not spoken to."""
    shown = clean(name, _LONGEST_NAME) if name else ""
    if not shown or len(shown) > _LONGEST_GREETED or _NOT_A_NAME.search(shown):
        return str(words["greeting_nameless"])
    return str(words["greeting"].format(name=upper_first(shown)))


def _one_line_address(address: Address) -> str | None:
    street = " ".join(filter(None, (address.get("street"), address.get("unit"))))
    city = " ".join(filter(None, (address.get("postcode"), address.get("city"))))
    parts = (street, city, address.get("region"), address.get("country"))
    return clean(", ".join(clean(part, 100) for part in parts if part), 240) or None
