"""Normalised identifiers of a customer: two spellings of one identifier give the same text.

Only their hashes are stored (``mark``). Code that records an order uses ``owner_forms`` to check
whether its customer was erased, without importing the erasure itself.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from milepost.common.errors import BadPayload
from milepost.common.phone_numbers import phone_forms
from milepost.common.timestamps import parse_instant
from milepost.orders.details import Customer, Details
from milepost.orders.order import OrderKey
from milepost.orders.report import Report
from milepost.orders.search_terms import (
    customer_id_of,
    customer_id_of_email,
    name_key,
    number_id,
    phone_ids,
)

_HASH_BYTES: Final = 12


def mark(form: str, salt: bytes) -> str:
    """The salted hash that is stored instead of a form: 24 hex digits."""
    return hashlib.blake2b(form.encode(), key=salt, digest_size=_HASH_BYTES).hexdigest()


def owner_forms(details: Details, key: OrderKey) -> tuple[str, ...]:
    """The forms that identify the customer of an order: the email address, else the customer
    number, else the phone number, as in ``search_terms.customer_id_of``.

    A household may share a phone number, so the number identifies a customer only together with the
    name.
    """
    customer = details.get("customer", {})
    by_id = id_form(customer_id_of(details, key))
    if customer.get("email"):
        return (by_id,)
    if number := customer.get("number"):
        return (by_id, *number_forms(key.connection, number))
    if phone := customer.get("phone"):
        return (by_id, *_phone_owner_forms(phone, customer))
    return (by_id,)


def first_heard(report: Report) -> datetime:
    """The earliest of three times: when the order was placed, when the report occurred, when it was
    seen.
    """
    heard = min(report.occurred_at, report.seen_at)
    try:
        return min(heard, parse_instant(report.details.get("ordered_at", "")))
    except BadPayload:
        return heard


def id_form(customer_id: str) -> str:
    """The normalised form of a customer's id."""
    return f"customer:{customer_id}"


def email_form(address: str) -> str:
    """The form of a customer's email address."""
    return id_form(customer_id_of_email(address))


def number_forms(connection: str, number: str) -> tuple[str, ...]:
    """The forms of a customer number at a connection."""
    return (f"number:{connection}:{plain_text(number).replace(' ', '')}",)


def phones(forms: Iterable[str]) -> Iterator[str]:
    """The forms of phone numbers, from the spellings of ``phone_numbers``."""
    return (f"phone:{form}" for form in forms)


def asked_phone(phone: str) -> tuple[str, ...]:
    """The forms of a customer of whom only this phone number is known."""
    return (*phones(phone_forms(phone).asked), *(id_form(one) for one in phone_ids(phone)))


def name_keys(customer: Customer) -> frozenset[str]:
    """The customer's ``name_key``; empty if there is no name."""
    return frozenset(filter(None, [name_key(customer)]))


def id_forms(connection: str, values: Iterable[str | None]) -> Iterator[str]:
    """The forms of ids that are unique at this connection."""
    return (f"id:{connection}:{plain_text(value)}" for value in values if value)


def deciding_forms(
    customer: Customer, connection: str, *, email: bool, names: Iterable[str]
) -> Iterator[str]:
    """All forms that may identify the customer of an order.

    :param names: ``name_keys`` of everything that is known of this customer
    """
    if email and (address := customer.get("email")):
        yield email_form(address)
        yield email_form(unicodedata.normalize("NFKC", address))
    if number := customer.get("number"):
        yield id_form(number_id(connection, number))
        yield from number_forms(connection, number)
    if phone := customer.get("phone"):
        known = tuple(phones(phone_forms(phone).known))
        yield from known
        yield from _named(known, names)


def _phone_owner_forms(phone: str, customer: Customer) -> Iterator[str]:
    name = name_key(customer)
    if not name:
        yield from asked_phone(phone)
        return
    yield from (id_form(one) for one in phone_ids(phone, name=name))
    yield from _named(tuple(phones(phone_forms(phone).asked)), (name,))


def _named(numbers: Iterable[str], names: Iterable[str]) -> Iterator[str]:
    return (f"named {number} {name}" for number in numbers for name in names)


def plain_text(text: str) -> str:
    """A text normalised for comparison: case, character width and spaces are ignored."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
