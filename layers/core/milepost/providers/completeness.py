"""Checks for missing or mistyped facts of an order, as reasons for attention that a person can act
on."""

import re
from collections.abc import Iterable
from typing import Final

from milepost.common.email_addresses import is_email
from milepost.common.identifiers import is_malo, is_melo, is_meter_number
from milepost.orders.details import Details
from milepost.orders.order import Attention

MISSING: Final = "missing_data"
INVALID: Final = "invalid_identifier"

_SHARED_BUILDING: Final = re.compile(
    r"\b(apartments?|apt|flat|level|suite|tower|unit|units|block)\b", re.IGNORECASE
)


def check_contact(details: Details) -> Iterable[Attention]:
    """Check that the customer's email address, if given, is well formed."""
    email = details.get("customer", {}).get("email")
    if email and not is_email(email):
        yield Attention(
            INVALID,
            "The customer's email address can't be right: correct it, or no mail will arrive.",
        )


def check_reachable(details: Details) -> Iterable[Attention]:
    """Check that the customer's email address and the delivery address are known."""
    if not details.get("customer", {}).get("email"):
        yield Attention(
            MISSING,
            "The customer's email address is missing: ask for it and add it at the provider, or no "
            "mail can be sent.",
        )
    if not details.get("address", {}).get("street"):
        yield Attention(
            MISSING,
            "The delivery address is missing: ask the customer for it and add it at the provider.",
        )


def check_unit(details: Details) -> Iterable[Attention]:
    """Check that an address in a building with several units names the unit."""
    address = details.get("address", {})
    if not address.get("unit") and _SHARED_BUILDING.search(address.get("street", "")):
        yield Attention(
            MISSING,
            "The address is in a building of many units and has no unit number, a frequent reason "
            "for rejection: ask the customer for it.",
        )


def check_meter_identifiers(details: Details) -> Iterable[Attention]:
    """Check that MaLo, MeLo and meter number are well formed; the order is recorded even if one
    isn't.

    Bills print MaLo and MeLo numbers in groups, so spaces are ignored.
    """
    malo, melo, meter = (details.get(name) for name in ("malo", "melo", "meter_number"))
    if isinstance(malo, str) and not is_malo("".join(malo.split())):
        yield Attention(
            INVALID,
            "The MaLo number is wrong: it has 11 digits, of which the last checks the others. "
            "Compare it with the customer's bill.",
        )
    if isinstance(melo, str) and not is_melo("".join(melo.split())):
        yield Attention(
            INVALID,
            "The MeLo number is wrong: it has 33 characters, DE, 11 digits and 20 letters or "
            "digits. Compare it with the customer's bill.",
        )
    if isinstance(meter, str) and not is_meter_number(meter):
        yield Attention(
            INVALID,
            "The meter number can't be right: compare it with the number on the meter.",
        )
