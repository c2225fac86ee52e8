"""Offergrid's webhooks and orders in the form of its reseller API."""

from typing import Final

from milepost.common.status import normal_form
from milepost.providers.payload_types import (
    Id,
    Instant,
    Kind,
    MaybeAmount,
    MaybeInstant,
    MaybeWord,
    Shape,
    Text,
    Word,
)

STATUS_CHANGED: Final = "order.status_changed"


class Event(Shape):
    """A webhook: a flat object whose fields depend on the event."""

    event: Word
    orderId: Id
    itemId: Id
    timestamp: Instant
    newStatus: MaybeWord = None
    providerNotes: Text = None
    scheduledFor: MaybeInstant = None
    accountNumber: Text = None
    reason: Text = None

    @property
    def is_status_change(self) -> bool:
        """Whether it is the event with the new status."""
        return normal_form(self.event) == STATUS_CHANGED


class Customer(Shape):
    firstName: Text = None
    lastName: Text = None
    email: Text = None
    phone: Text = None


class Address(Shape):
    street: Text = None
    unitNumber: Text = None
    suburb: Text = None
    city: Text = None
    state: Text = None
    postcode: Text = None
    country: Text = None


class Commission(Shape):
    amount: MaybeAmount = None
    currency: Text = None
    status: Kind = None
    paidAt: MaybeInstant = None


class Item(Shape):
    itemId: Id
    status: Word
    offerId: Text = None
    offerName: Text = None
    serviceType: Text = None
    provider: Text = None
    providerNotes: Text = None
    reason: Text = None
    scheduledFor: MaybeInstant = None
    accountNumber: Text = None
    updatedAt: MaybeInstant = None
    commission: Commission | None = None


class Order(Shape):
    orderId: Id
    createdAt: MaybeInstant = None
    updatedAt: MaybeInstant = None
    reference: Text = None
    customer: Customer | None = None
    address: Address | None = None
    items: list[Item]
