"""What the tracking page shows of an order, in the reader's language.

Only what the holder of the link needs: of the customer the first name, of the address the place.
No other name, no street, price, number, reason or note gets here, so none can be shown.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from milepost.common.status import Status
from milepost.common.timestamps import if_in_range, stored_moment
from milepost.connections.connection import Connection, SenderIdentity, TrackingPage
from milepost.notifications.mail.rendering.fact_readers import part, parts, text_of
from milepost.notifications.mail.rendering.sanitize import clean
from milepost.orders.customer_waits import PAYMENT
from milepost.orders.deadlines import appointment_ends, next_step_by
from milepost.orders.lifecycle import TERMINAL
from milepost.orders.order import Order
from milepost.orders.provider_stages import awaits_signature
from milepost.tracking_page.milestones import Milestone, milestones_of
from milepost.tracking_page.texts import Dates, texts_of

_NAME: Final = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_TITLES: Final = frozenset(
    {"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "herr", "herrn", "frau", "hr", "fru", "ing"}
    | {"dipl", "dipl-ing", "sir", "lady", "mag", "med"}
)
_NOBODYS: Final = frozenset(
    {"gmbh", "ag", "kg", "ug", "ohg", "gbr", "se", "ev", "ek", "aps", "as", "is", "ivs", "ltd"}
    | {"limited", "pty", "inc", "llc", "plc", "co", "corp", "familie", "familien", "family"}
    | {"eheleute", "firma", "firmaet"}
)
"""Words, without dots and slashes, in names of companies and families."""
_LONGEST_NAME: Final = 40
_WITHOUT_SIGNS: Final = str.maketrans("", "", "./,")
_PLACE: Final = re.compile(r"[^\W\d_](?:[^\W\d_]|[ .'’()/-]){0,59}")
_WITHOUT_VISITS: Final = frozenset({"energy", "insurance", "mobile"})
_FEES: Final = frozenset({"application_fee", "connection_fee"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """The agreed instant, or the day in ISO 8601, in its stored form."""

    at: str
    is_past: bool
    is_supply: bool
    """Whether it is the day on which a supply starts, instead of somebody's visit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingView:
    """The content of the page; every text is in ``language``, and no text is escaped yet."""

    language: str
    dates: Dates
    colour: str
    company: str | None
    legal: tuple[str, ...]
    first_name: str | None
    service: str | None
    place: str | None
    state: str
    milestones: tuple[Milestone, ...]
    is_supply: bool
    appointment: Appointment | None
    next_step: str | None
    next_by: str | None
    todo: tuple[str, ...]
    is_open: bool
    contact: str | None
    as_of: datetime
    valid_until: datetime


def view_of(
    order: Order, connection: Connection, *, language: str, now: datetime, valid_until: datetime
) -> TrackingView:
    """The page of an order.

    :param language: one of ``texts.LANGUAGES``
    :param valid_until: when the reader's link expires
    """
    texts = texts_of(language)
    dates = Dates(language=language, time_zone=connection.time_zone)
    service_type = text_of(order.details.get("service_type")) or ""
    is_supply = service_type == "energy" or "delivery_start" in order.details
    late, next_by = _next_date(order, connection, now)
    sender = connection.sender or SenderIdentity(company="")
    return TrackingView(
        language=language,
        dates=dates,
        colour=(connection.tracking or TrackingPage()).colour,
        company=clean(sender.company, 120) or None,
        legal=tuple(filter(None, (clean(line, 600) for line in (sender.legal or "").splitlines()))),
        first_name=first_name_of(part(order.details, "customer")),
        service=texts["services"].get(service_type),
        place=place_of(part(order.details, "address")),
        state=texts["states"][_form(order, is_supply=is_supply)],
        milestones=milestones_of(order, visits=service_type not in _WITHOUT_VISITS),
        is_supply=is_supply,
        appointment=appointment_of(order, connection, now=now),
        next_step=_next_step(order, texts["next_steps"], is_supply=is_supply, late=late),
        next_by=dates.day(next_by),
        todo=tuple(_todo(order, texts["todo_steps"], dates)),
        is_open=order.status not in TERMINAL,
        contact=_contact(connection),
        as_of=now,
        valid_until=valid_until,
    )


def first_name_of(customer: Mapping[str, Any]) -> str | None:
    """The first name in a customer's name; None if it isn't clear which word is the first name.

    A single word may be a family name, and a business has none.
    """
    if text_of(customer.get("business")):
        return None
    name = clean(text_of(customer.get("name")) or "", 200)
    if any(word.casefold().translate(_WITHOUT_SIGNS) in _NOBODYS for word in name.split()):
        return None
    family, comma, rest = name.partition(",")
    words = [word for word in (rest if comma else name).split() if not _is_title(word)]
    if len(words) < (1 if comma and family.strip() else 2):
        return None
    first = words[0]
    is_name = 1 < len(first) <= _LONGEST_NAME and _NAME.fullmatch(first)
    return first if is_name else None


def place_of(address: Mapping[str, Any]) -> str | None:
    """The town of an address; None if it has digits or characters that no town's name has."""
    town = clean(text_of(address.get("city")) or "", 60)
    return town if _PLACE.fullmatch(town) else None


def appointment_of(order: Order, connection: Connection, *, now: datetime) -> Appointment | None:
    """The appointment of an open order, or the day on which its supply starts.

    None when there is none, and once the order is closed: then it is of no use to the customer.
    """
    starts = if_in_range(text_of(order.details.get("delivery_start")))
    is_supply = starts is not None or order.details.get("service_type") == "energy"
    at = order.appointment or starts
    if at is None or order.status in TERMINAL:
        return None
    moment = stored_moment(at)
    if is_supply and moment is not None:
        # A supply starts on a day, whatever hour a program gave it.
        day = Dates(language="en", time_zone=connection.time_zone).date_of(at)
        at = day.isoformat() if day else at
    is_past = appointment_ends(at, connection) <= now
    return Appointment(at=at, is_past=is_past, is_supply=is_supply)


def _is_title(word: str) -> bool:
    return word.rstrip(".").casefold() in _TITLES or (word.endswith(".") and len(word) <= 3)


def _form(order: Order, *, is_supply: bool) -> str:
    """The status text that fits: a scheduled order may have no date yet, or wait for its supply to
    start.
    """
    if order.status is not Status.SCHEDULED:
        return str(order.status)
    if order.appointment is None and not if_in_range(text_of(order.details.get("delivery_start"))):
        return "scheduled_undated"
    return "scheduled_supply" if is_supply else "scheduled"


def _next_step(
    order: Order, forms: Mapping[str, str], *, is_supply: bool, late: bool
) -> str | None:
    return forms["late"] if late else forms.get(_form(order, is_supply=is_supply))


def _next_date(
    order: Order, connection: Connection, now: datetime
) -> tuple[bool, datetime | str | None]:
    """Whether the next step is late; if it isn't, when it is due."""
    try:
        due = next_step_by(order, connection)
        if due is None:
            return False, None
        ends = due if isinstance(due, datetime) else appointment_ends(due, connection)
    except (ValueError, OverflowError, TypeError, AttributeError, LookupError):
        # A stored date that nothing can be reckoned from: no date is better than no page.
        return False, None
    return (True, None) if ends <= now else (False, due)


def _todo(order: Order, forms: Mapping[str, str], dates: Dates) -> list[str]:
    """What the customer has to do, without amounts and numbers."""
    if order.status in TERMINAL:
        return []
    waits_for = order.waiting.what if order.waiting else None
    fees = [_fee(one, forms, dates) for one in parts(order.details, "invoices") if _is_unpaid(one)]
    found = fees or ([forms["fee"]] if waits_for == PAYMENT else [])
    code = part(order.details, "authorization_code")
    if waits_for == "signature" or (
        code and awaits_signature(order.raw_status, parts(order.details, "invoices"))
    ):
        found.append(forms[_signing(code)])
    if waits_for and waits_for not in (PAYMENT, "signature"):
        found.append(forms["contact" if waits_for == "contact" else "other"])
    return list(dict.fromkeys(found))


def _is_unpaid(invoice: Mapping[str, Any]) -> bool:
    return not invoice.get("paid", False)


def _fee(invoice: Mapping[str, Any], forms: Mapping[str, str], dates: Dates) -> str:
    kind = text_of(invoice.get("kind"))
    said = forms[kind if kind in _FEES else "fee"]
    due = dates.day(text_of(invoice.get("due_on")))
    return f"{said} {forms['due'].format(day=due)}" if due else said


def _signing(code: Mapping[str, Any]) -> str:
    if not code:
        return "signature"
    return "sign_with_code" if code.get("sent") else "code_comes"


def _contact(connection: Connection) -> str | None:
    """The contact for customers' questions, as in their mails."""
    said = connection.sender or SenderIdentity(company="")
    found = said.contact or said.reply_to or connection.contact
    return clean(found, 200) or None if found else None
