"""Search terms of an order: words of its reference, and the id of its customer."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from milepost.common.email_addresses import address_identity, former_identities
from milepost.common.phone_numbers import dialled_forms
from milepost.orders.details import Customer, Details
from milepost.orders.order import OrderKey

MOST_WORDS: Final = 8
"""Maximum number of words of one reference that are indexed; each is an item of its own."""
PHONE_PART: Final = 16
"""Characters of a customer's id that follow from their address, number or phone number. What
follows them is of the name."""
_NAME_PART: Final = 8
_NAME_WORD: Final = re.compile(r"[\w'\u2019-]+")
LONGEST_WORD: Final = 64
"""Characters of a reference that are indexed, from the start of each of its words."""


def customer_id_of(details: Details, key: OrderKey) -> str:
    """The id of the order's customer, the same for all orders of one customer: 16 or 24 hex digits.

    It is a hash of the email address, else of the connection's customer number, else of the phone
    number. A household may share a phone number, so that 8 digits of the name follow it, if there
    is one. An order with none of them has a customer id of its own. A text that is not an address,
    such as ``n/a``, is ignored: it would make one customer of many.
    """
    customer = details.get("customer", {})
    if _names_a_mailbox(customer.get("email", "")):
        return customer_id_of_email(customer["email"])
    if number := customer.get("number"):
        return number_id(key.connection, number)
    if phone := "".join(c for c in customer.get("phone", "") if c.isdigit()):
        return _digest("phone", phone) + _name_part(name_key(customer))
    return _digest("order", str(key))


def customer_id_of_email(email: str) -> str:
    """The customer id for an email address, the same for all spellings of the address."""
    return _digest("email", address_identity(email))


def email_ids(email: str) -> tuple[str, ...]:
    """All customer ids for an email address: the current one, and those that earlier versions gave
    to other spellings."""
    earlier = (_digest("email", former) for former in former_identities(email))
    return (customer_id_of_email(email), *earlier)


def phone_ids(phone: str, *, country: str | None = None, name: str = "") -> tuple[str, ...]:
    """Customer ids for the phone number of a customer without email address, one for each spelling.

    :param country: the connection's country (ISO 3166-1), for a number without a country code
    :param name: the customer's ``name_key``, if a name is known
    """
    digits = "".join(c for c in phone if c.isdigit())
    spellings = dict.fromkeys((digits, *dialled_forms(phone, country=country)))
    return tuple(_digest("phone", one) + _name_part(name) for one in spellings if one)


def name_key(customer: Customer) -> str:
    """The name of a customer, else of the business, independent of the order of its words; empty if
    there is none."""
    for name in (customer.get("name", ""), customer.get("business", "")):
        words = _NAME_WORD.findall(unicodedata.normalize("NFKC", name).casefold())
        if words:
            return " ".join(sorted(words))
    return ""


def phone_part(customer_id: str) -> str:
    """The id without the name: the same for all customers who share a phone number."""
    return customer_id[:PHONE_PART]


def is_of_customer(found: str, asked: str) -> bool:
    """Whether a customer's id is the requested one. A request without a name includes all customers
    with the number."""
    return asked in (found, phone_part(found))


def _name_part(name: str) -> str:
    return _digest("name", name)[:_NAME_PART] if name else ""


def number_id(connection: str, number: str) -> str:
    """The customer id for a customer number at a connection, for a customer without email
    address."""
    return _digest("number", connection, number.strip())


def _names_a_mailbox(email: str) -> bool:
    """Whether the text may be an email address, also one that no mail can be sent to."""
    name, _, domain = address_identity(email).rpartition("@")
    return bool(name.strip() and domain.strip())


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def search_text(text: str) -> str:
    """A text normalised for comparing references: case, character width and surrounding spaces are
    ignored."""
    return unicodedata.normalize("NFKC", text).casefold().strip()[:LONGEST_WORD]


def reference_words(reference: str) -> tuple[str, ...]:
    """The reference from the start of each of its words, so that a prefix search finds every word.

    ``SP-2026-90012`` gives ``sp-2026-90012``, ``2026-90012`` and ``90012``.
    """
    text = unicodedata.normalize("NFKC", reference).casefold().strip()
    words = (text[start : start + LONGEST_WORD] for start in _word_starts(text))
    return tuple(dict.fromkeys(words))[:MOST_WORDS]


def _word_starts(text: str) -> Iterator[int]:
    for place, character in enumerate(text):
        if character.isalnum() and (place == 0 or not text[place - 1].isalnum()):
            yield place
