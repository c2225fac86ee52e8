"""Parts of details read from payloads: customers, addresses, instants and notes."""

from datetime import datetime
from typing import Any, Final

from milepost.common.status import normal_form
from milepost.common.timestamps import format_instant
from milepost.orders.details import Details, Note
from milepost.providers.payload_types import Shape, Text


def present(**facts: Any) -> Details:
    """Details with the given facts, without those that are None or empty."""
    given = {name: value for name, value in facts.items() if value not in (None, "", [], {})}
    details: Details = given  # type: ignore[assignment]
    return details


def present_part(**facts: object) -> dict[str, Any]:
    """A part of the details, such as the customer, without fields that are None or empty."""
    return {name: value for name, value in facts.items() if value not in (None, "")}


class Customer(Shape):
    """A customer of providers that write the name in a single field; other adapters have their own
    mapping.
    """

    name: Text = None
    email: Text = None
    phone: Text = None


class Address(Shape):
    """An address as most providers write it; other adapters have their own mapping."""

    street: Text = None
    unit: Text = None
    city: Text = None
    region: Text = None
    postcode: Text = None
    country: Text = None


def customer_details(customer: Customer | None) -> dict[str, Any]:
    """A customer in the form of details."""
    if customer is None:
        return {}
    return present_part(name=customer.name, email=customer.email, phone=customer.phone)


def address_details(address: Address | None) -> dict[str, Any]:
    """An address in the form of details."""
    if address is None:
        return {}
    return present_part(
        street=address.street,
        unit=address.unit,
        postcode=address.postcode,
        city=address.city,
        region=address.region,
        country=address.country,
    )


def instant_text(instant: datetime | None) -> str | None:
    """An instant in the form of details."""
    return format_instant(instant) if instant else None


_NOTE_KINDS: Final = {
    "next steps": "next_steps",
    "timeline": "timeline",
    "customer contact": "customer_contact",
    "account details": "account_details",
    "special instructions": "special_instructions",
}
"""Source: Offergrid's reseller documentation on the contents of provider notes."""


_MOST_NOTES: Final = 20


def read_notes(text: str | None) -> list[Note]:
    """A provider's notes: one on each line, with its kind before a colon; else ``other``."""
    lines = [line.strip() for line in (text or "").splitlines()]
    return [_read_note(line) for line in lines if line][:_MOST_NOTES]


def _read_note(line: str) -> Note:
    label, colon, rest = line.partition(":")
    kind = _NOTE_KINDS.get(normal_form(label)) if colon else None
    return Note(kind=kind, text=rest.strip()) if kind else Note(kind="other", text=line)
