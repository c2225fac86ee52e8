"""The values of templates: an order's facts, sanitized and in the recipient's language.

Facts are those of the order when the mail is rendered. Facts of the announced status, such as the
reason of a rejection, are read from the timeline if the order has changed since. A fact that isn't
known is None, and sentences leave it out.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from milepost.connections.connection import Connection
from milepost.forecasts.expected_dates import Expected
from milepost.notifications.mail.rendering.commission_facts import commission_values
from milepost.notifications.mail.rendering.context import MailContext
from milepost.notifications.mail.rendering.fact_readers import moment_of, part, text_of
from milepost.notifications.mail.rendering.fact_rows import fact_rows
from milepost.notifications.mail.rendering.forecast_facts import forecast_line
from milepost.notifications.mail.rendering.languages import Words
from milepost.notifications.mail.rendering.open_points import (
    attention_sentences,
    has_unpaid,
    open_points,
)
from milepost.notifications.mail.rendering.postal_addresses import one_line_address
from milepost.notifications.mail.rendering.reason_facts import reason_values
from milepost.notifications.mail.rendering.sanitize import clean, shorten, upper_first
from milepost.notifications.mail.rendering.timed_facts import timed_values
from milepost.orders.customer_waits import PAYMENT
from milepost.orders.deadlines import expected_by, next_step_by, usual_end
from milepost.orders.lifecycle import TERMINAL
from milepost.orders.order import Kind, Order

Values = dict[str, Any]

_LONGEST_NAME: Final = 120
_LONGEST_IN_SUBJECT: Final = 50
_NOT_A_NAME: Final = re.compile(r"[<>{}\[\]@\\|]|://|www\.|\.\w{2,}/", re.IGNORECASE)
_LONGEST_GREETED: Final = 50


def mail_values(context: MailContext, *, end: Expected | None = None) -> Values:
    """All values of a template, by name; None if not known.

    :param end: when the order will probably be completed
    """
    values = {
        **_of_announcement(context),
        **_of_order(context),
        **reason_values(context),
        **_of_times(context),
        **timed_values(context),
        **commission_values(context),
        "forecast": forecast_line(end, context),
        "words": context.words,
        **_to_do(context),
        "unsubscribe_url": None,
        "order_url": None,
        "tracking_url": None,
        "sample": False,
    }
    return {**values, "facts": fact_rows(context, values)}


def _to_do(context: MailContext) -> Values:
    """Open points, and why a person should look. Reasons that repeat an open point are left out."""
    order, words = context.order, context.words
    points = open_points(
        context.details,
        order.raw_status,
        words=words["open_customer" if context.for_customer else "open_team"],
        fees=words["fees"],
        moments=context.moments,
    )
    is_open = order.status not in TERMINAL
    names_fees = is_open and has_unpaid(context.details)
    without = frozenset({"payment_due"}) if names_fees else frozenset[str]()
    is_about_fees = order.waiting is not None and order.waiting.what == PAYMENT
    values: Values = {
        "open_points": points if is_open else [],
        "attention": attention_sentences(order, words),
        "attention_said": attention_sentences(order, words, without=without),
    }
    return {**values, "wait_next": None} if names_fees and is_about_fees else values


def _of_announcement(context: MailContext) -> Values:
    one, words = context.notice.announcement, context.words
    key = context.notice.key
    now = None if context.holds else words["statuses"][context.order.status]
    return {
        "language": context.language,
        "audience": str(context.notice.audience),
        "kind": str(one.kind),
        "kind_name": words["kinds"][one.kind],
        "status": str(one.status),
        "status_name": words["statuses"][one.status],
        "status_now": now,
        "stands_now": _is_current(context),
        # A commission that is due stays due, whatever becomes of the order.
        "next_is_past": context.moved_on and one.kind is not Kind.COMMISSION_OVERDUE,
        "previous_status_name": words["statuses"][one.previous] if one.previous else None,
        "correction": one.correction,
        # One change made several announcements, and this mail contains all of them.
        "joined": one.joined,
        "accepted_too": one.joined and not one.correction,
        "corrected_too": one.joined and one.correction,
        "connection": context.connection.id,
        "provider": context.connection.provider,
        "order_id": clean(key.order_id, _LONGEST_NAME),
        "item_id": clean(key.item_id, _LONGEST_NAME),
        "raw_status": None if context.for_customer else _named(context.order.raw_status),
    }


def _is_current(context: MailContext) -> str | None:
    """The order's current status, if it isn't the announced one or the mail was forced."""
    status = context.words["statuses"][context.order.status]
    if context.moved_on:
        return str(context.words["stands_now"][context.notice.audience].format(status=status))
    if context.notice.forced:
        return str(context.words["as_it_stands"].format(status=status))
    return None


def _of_order(context: MailContext) -> Values:
    details, words = context.details, context.words
    offer, customer = part(details, "offer"), part(details, "customer")
    service = _service(details, words, "services")
    offer_name, supplier = _named(offer.get("name")), _named(offer.get("supplier"))
    reference = _named(details.get("reference")) or clean(
        context.notice.key.order_id, _LONGEST_NAME
    )
    name = _named(customer.get("business")) or _named(customer.get("name"))
    known = offer_name or service
    said = offer_name or _service(details, words, "services_ordered")
    appointed = offer_name or _service(details, words, "services_appointed")
    audience = context.notice.audience
    return {
        "reference": reference,
        "what": known or words["some_service"],
        "about": f" – {shorten(known, _LONGEST_IN_SUBJECT)}" if known else "",
        "for_what": words["for_what"].format(what=said) if said else "",
        "for_appointment": words["for_what"].format(what=appointed) if appointed else "",
        "supply": words["supply_of" if offer_name else "supply"][audience].format(offer=offer_name),
        "service": service,
        "supplier": supplier,
        "supplier_name": supplier or words["the_provider"],
        "customer": name,
        "who": ", ".join(shorten(one, 40) for one in (name, reference) if one),
        "greeting": greeting(customer, words),
        "address": one_line_address(
            part(details, "address"),  # type: ignore[arg-type]
            country=context.connection.country,
            language=context.language,
        ),
        "account_number": _named(details.get("account_number")),
        "meter_number": _named(details.get("meter_number")),
        "malo": _named(details.get("malo")),
        "spn": _named(details.get("spn")),
        "service_type": _named(details.get("service_type")),
    }


def _of_times(context: MailContext) -> Values:
    details, moments, order = context.details, context.moments, context.order
    appointment, starts, ends = (
        moment_of(details.get(name)) for name in ("appointment", "delivery_start", "delivery_end")
    )
    usual = _deadline(usual_end, order, context.connection)
    due = _deadline(next_step_by, order, context.connection)
    by = _deadline(expected_by, order, context.connection)
    # A mail about a delay names no date.
    is_delay = context.notice.announcement.kind is Kind.DELAYED
    ahead = context.holds and order.status not in TERMINAL and not is_delay
    starts_supply = "delivery_start" in details or details.get("service_type") == "energy"
    return {
        "occurred_at": moments.full(context.notice.announcement.occurred_at),
        "since": moments.full(order.since),
        "usual_until": moments.day(usual),
        "next_by": moments.day(due) if context.holds and moments.is_ahead(due) else None,
        "expected_by": moments.day(by)
        if ahead and not appointment and moments.is_ahead(by)
        else None,
        # A supply starts on a day; the hour has no meaning.
        "appointment": moments.day(appointment) if starts_supply else moments.full(appointment),
        "appointment_short": moments.short_day(appointment)
        if starts_supply
        else moments.short(appointment),
        "appointment_past": moments.is_past(appointment),
        "first_date": not any(
            said.get("appointment") not in (None, details.get("appointment"))
            for said in order.said_of_it
        ),
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
    """A deadline; None if a stored date doesn't allow it to be calculated."""
    try:
        return reckon(order, connection)
    except (ValueError, OverflowError, TypeError, AttributeError, LookupError):
        return None


def _named(value: object) -> str | None:
    return clean(text_of(value) or "", _LONGEST_NAME) or None


def _service(details: Mapping[str, Any], words: Words, form: str) -> str | None:
    """A form of the service type: its name (``services``), the phrase for its order ("an alarm
    system", ``services_ordered``), or the phrase for its appointment ("the alarm system",
    ``services_appointed``).

    An unknown one is shown in the provider's words.
    """
    service = text_of(details.get("service_type")) or ""
    known = words[form].get(service)
    return str(known) if known else clean(service.replace("_", " "), 60) or None


def greeting(customer: Mapping[str, Any], words: Words) -> str:
    """The greeting with the name; without it, if the name has links or markup in it."""
    shown = _named(customer.get("name")) or _named(customer.get("business"))
    if not shown or len(shown) > _LONGEST_GREETED or _NOT_A_NAME.search(shown):
        return str(words["greeting_nameless"])
    return str(words["greeting"].format(name=upper_first(shown)))
