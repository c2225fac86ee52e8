"""Finding orders again: by words of their reference, and by whose they are."""

import hashlib
import unicodedata
from collections.abc import Iterator
from typing import Final

from milepost.common.email_addresses import address_identity, former_identities
from milepost.common.phone_numbers import dialled_forms
from milepost.orders.details import Details
from milepost.orders.order import OrderKey

MOST_WORDS: Final = 8
"""Words of one reference that it is found by; each is its own item."""
LONGEST_WORD: Final = 64
"""Characters of a reference that can be searched for, from the start of each of its words."""


def customer_id_of(details: Details, key: OrderKey) -> str:
    """Whose order this is: 16 hex digits, the same for all orders of one customer.

    It is a digest of the email, else of the connection's customer number, else of the phone
    number. An order that names none of them is its own customer. What is no address, such as
    ``n/a``, is nobody's: it would make one customer of many.
    """
    customer = details.get("customer", {})
    if _names_a_mailbox(customer.get("email", "")):
        return customer_id_of_email(customer["email"])
    if number := customer.get("number"):
        return number_id(key.connection, number)
    if phone := "".join(c for c in customer.get("phone", "") if c.isdigit()):
        return _digest("phone", phone)
    return _digest("order", str(key))


def customer_id_of_email(email: str) -> str:
    """The id of who has this email address, however it is spelled."""
    return _digest("email", address_identity(email))


def email_ids(email: str) -> tuple[str, ...]:
    """Ids under which orders of this address may be found: the present one, and those that an
    earlier version gave to other spellings of it."""
    earlier = (_digest("email", former) for former in former_identities(email))
    return (customer_id_of_email(email), *earlier)


def phone_ids(phone: str, *, country: str | None = None) -> tuple[str, ...]:
    """Ids of who has this phone number and no email address, by the ways of writing it down.

    :param country: the connection's (ISO 3166-1), for a number that is written without one
    """
    digits = "".join(c for c in phone if c.isdigit())
    spellings = dict.fromkeys((digits, *dialled_forms(phone, country=country)))
    return tuple(_digest("phone", one) for one in spellings if one)


def number_id(connection: str, number: str) -> str:
    """The id of who has this customer number at a connection, and no email address."""
    return _digest("number", connection, number.strip())


def _names_a_mailbox(email: str) -> bool:
    """Whether it could name one, also one that no mail can be sent to."""
    name, _, domain = address_identity(email).rpartition("@")
    return bool(name.strip() and domain.strip())


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def search_text(text: str) -> str:
    """A text as references are compared: without regard to capitals, widths and outer spaces."""
    return unicodedata.normalize("NFKC", text).casefold().strip()[:LONGEST_WORD]


def reference_words(reference: str) -> tuple[str, ...]:
    """The reference from the start of each of its words on, so that a prefix finds any of them.

    ``SP-2026-90012`` gives ``sp-2026-90012``, ``2026-90012`` and ``90012``.
    """
    text = unicodedata.normalize("NFKC", reference).casefold().strip()
    words = (text[start : start + LONGEST_WORD] for start in _word_starts(text))
    return tuple(dict.fromkeys(words))[:MOST_WORDS]


def _word_starts(text: str) -> Iterator[int]:
    for place, character in enumerate(text):
        if character.isalnum() and (place == 0 or not text[place - 1].isalnum()):
            yield place
