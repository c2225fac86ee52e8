"""What templates may say of an order: its facts, cleaned and in the recipient's language.

Facts are those of the order as it stands when the mail is written. What belongs to the announced
status alone, such as the reason of a rejection, is looked up on the timeline if the order has
moved on since. A fact that isn't known is None, and sentences leave it out.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from milepost.connections.connection import Connection
from milepost.notifications.mail.rendering.commission_facts import commission_values
from milepost.notifications.mail.rendering.context import Telling
from milepost.notifications.mail.rendering.fact_readers import moment_of, part, text_of
from milepost.notifications.mail.rendering.fact_rows import fact_rows
from milepost.notifications.mail.rendering.languages import Words
from milepost.notifications.mail.rendering.open_points import attention_sentences, open_points
from milepost.notifications.mail.rendering.postal_addresses import one_line_address
from milepost.notifications.mail.rendering.reason_facts import reason_values
from milepost.notifications.mail.rendering.sanitize import clean, shorten, upper_first
from milepost.notifications.mail.rendering.timed_facts import timed_values
from milepost.orders.deadlines import expected_by, next_step_by, usual_end
from milepost.orders.lifecycle import TERMINAL
from milepost.orders.order import Kind, Order

Values = dict[str, Any]

_LONGEST_NAME: Final = 120
_LONGEST_IN_SUBJECT: Final = 50
_NOT_A_NAME: Final = re.compile(r"[<>{}\[\]@\\|]|://|www\.|\.\w{2,}/", re.IGNORECASE)
_LONGEST_GREETED: Final = 50


def mail_values(told: Telling) -> Values:
    """All values of a template, by name; one that isn't known is None."""
    values = {
        **_of_announcement(told),
        **_of_order(told),
        **reason_values(told),
        **_of_times(told),
        **timed_values(told),
        **commission_values(told),
        "words": told.words,
        "open_points": open_points(
            told.details,
            told.order.raw_status,
            words=told.words["open_customer" if told.for_customer else "open_team"],
            fees=told.words["fees"],
            moments=told.moments,
        )
        if told.order.status not in TERMINAL
        else [],
        "attention": attention_sentences(told.order, told.words),
        "unsubscribe_url": None,
        "order_url": None,
        "sample": False,
    }
    return {**values, "facts": fact_rows(told, values)}


def _of_announcement(told: Telling) -> Values:
    one, words = told.notice.announcement, told.words
    key = told.notice.key
    now = None if told.holds else words["statuses"][told.order.status]
    return {
        "language": told.language,
        "audience": str(told.notice.audience),
        "kind": str(one.kind),
        "kind_name": words["kinds"][one.kind],
        "status": str(one.status),
        "status_name": words["statuses"][one.status],
        "status_now": now,
        "stands_now": _stands_now(told),
        "previous_status_name": words["statuses"][one.previous] if one.previous else None,
        "correction": one.correction,
        # One change gave several announcements, and this mail says all of them.
        "joined": one.joined,
        "accepted_too": one.joined and not one.correction,
        "corrected_too": one.joined and one.correction,
        "connection": told.connection.id,
        "provider": told.connection.provider,
        "order_id": clean(key.order_id, _LONGEST_NAME),
        "item_id": clean(key.item_id, _LONGEST_NAME),
        "raw_status": None if told.for_customer else _named(told.order.raw_status),
    }


def _stands_now(told: Telling) -> str | None:
    """How the order stands, where that isn't what was announced or the mail was forced."""
    status = told.words["statuses"][told.order.status]
    if told.moved_on:
        return str(told.words["stands_now"][told.notice.audience].format(status=status))
    if told.notice.forced:
        return str(told.words["as_it_stands"].format(status=status))
    return None


def _of_order(told: Telling) -> Values:
    details, words = told.details, told.words
    offer, customer = part(details, "offer"), part(details, "customer")
    service, phrase = _service(details, words)
    offer_name, supplier = _named(offer.get("name")), _named(offer.get("supplier"))
    reference = _named(details.get("reference")) or clean(told.notice.key.order_id, _LONGEST_NAME)
    name = _named(customer.get("business")) or _named(customer.get("name"))
    known = offer_name or service
    said = offer_name or phrase
    audience = told.notice.audience
    return {
        "reference": reference,
        "what": known or words["some_service"],
        "about": f" – {shorten(known, _LONGEST_IN_SUBJECT)}" if known else "",
        "for_what": words["for_what"].format(what=said) if said else "",
        "supply": words["supply_of" if offer_name else "supply"][audience].format(offer=offer_name),
        "service": service,
        "supplier": supplier,
        "supplier_name": supplier or words["the_provider"],
        "customer": name,
        "who": ", ".join(shorten(one, 40) for one in (name, reference) if one),
        "greeting": greeting(customer, words),
        "address": one_line_address(
            part(details, "address"),  # type: ignore[arg-type]
            country=told.connection.country,
            language=told.language,
        ),
        "account_number": _named(details.get("account_number")),
        "meter_number": _named(details.get("meter_number")),
        "malo": _named(details.get("malo")),
        "spn": _named(details.get("spn")),
        "service_type": _named(details.get("service_type")),
    }


def _of_times(told: Telling) -> Values:
    details, moments, order = told.details, told.moments, told.order
    appointment, starts, ends = (
        moment_of(details.get(name)) for name in ("appointment", "delivery_start", "delivery_end")
    )
    usual = _deadline(usual_end, order, told.connection)
    due = _deadline(next_step_by, order, told.connection)
    by = _deadline(expected_by, order, told.connection)
    # A mail that says that it takes longer names no date.
    is_delay = told.notice.announcement.kind is Kind.DELAYED
    ahead = told.holds and order.status not in TERMINAL and not is_delay
    starts_supply = "delivery_start" in details or details.get("service_type") == "energy"
    return {
        "occurred_at": moments.full(told.notice.announcement.occurred_at),
        "since": moments.full(order.since),
        "usual_until": moments.day(usual),
        "next_by": moments.day(due) if told.holds and moments.is_ahead(due) else None,
        "expected_by": moments.day(by)
        if ahead and not appointment and moments.is_ahead(by)
        else None,
        # A supply starts on a day, whatever hour a program gave it.
        "appointment": moments.day(appointment) if starts_supply else moments.full(appointment),
        "appointment_short": moments.short_day(appointment)
        if starts_supply
        else moments.short(appointment),
        "appointment_past": moments.is_past(appointment),
        "starts_supply": starts_supply,
        "activates": details.get("service_type") == "ev_charging",
        "delivery_start": moments.day(starts),
        "delivery_start_ahead": moments.is_ahead(starts),
        "delivery_end": moments.day(ends),
        "delivery_end_past": moments.is_past(ends),
    }


def _deadline(
    reckon: Callable[[Order, Connection], datetime | str | None],
    order: Order,
    connection: Connection,
) -> datetime | str | None:
    """A deadline; None where a stored date is none that one can be reckoned from."""
    try:
        return reckon(order, connection)
    except (ValueError, OverflowError, TypeError, AttributeError, LookupError):
        return None


def _named(value: object) -> str | None:
    return clean(text_of(value) or "", _LONGEST_NAME) or None


def _service(details: Mapping[str, Any], words: Words) -> tuple[str | None, str | None]:
    """The service type by name, and as a sentence about its order has it ("an alarm system").

    One without a word here stands as the provider says it.
    """
    service = text_of(details.get("service_type")) or ""
    known = words["services"].get(service)
    if known:
        return str(known), str(words["services_ordered"][service])
    named = clean(service.replace("_", " "), 60) or None
    return named, named


def greeting(customer: Mapping[str, Any], words: Words) -> str:
    """By name, unless the name is none: what has links or markup in it is not spoken to."""
    shown = _named(customer.get("name")) or _named(customer.get("business"))
    if not shown or len(shown) > _LONGEST_GREETED or _NOT_A_NAME.search(shown):
        return str(words["greeting_nameless"])
    return str(words["greeting"].format(name=upper_first(shown)))
