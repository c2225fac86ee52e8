"""Offergrid: a marketplace of home services. Webhooks and polling; each item is tracked by itself.

Source of statuses, events and notes: Offergrid's reseller API documentation. The following is not
public, so the project defined it: signatures (Standard Webhooks), the list response and its cursor,
and most fields of an order; docs/providers/offergrid.md lists them.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from milepost.common.causes import cause_of
from milepost.common.errors import BadPayload
from milepost.common.status import Status
from milepost.connections.connection import Connection
from milepost.orders.details import Details
from milepost.orders.disclosure import FROM_NOTES, KINDS_OF_EXPLAINING_NOTES
from milepost.orders.order import Attention
from milepost.orders.provider_rules import Rules
from milepost.orders.report import Report, Source
from milepost.providers.base import (
    BrokenPage,
    Http,
    Json,
    Page,
    PageRequest,
    ProviderAction,
    SignIn,
)
from milepost.providers.completeness import check_contact, check_unit
from milepost.providers.detail_parts import instant_text, present, present_part, read_notes
from milepost.providers.envelopes import (
    credential,
    object_in,
    one_segment,
    words_in,
)
from milepost.providers.listing import DeclaredList
from milepost.providers.offergrid_actions import ACTIONS
from milepost.providers.offergrid_payload import Address, Commission, Customer, Event, Item, Order
from milepost.providers.payload_types import read_shape
from milepost.providers.status_words import ByStatusWord, StatusTable
from milepost.webhooks.signature_schemes import STANDARD_WEBHOOKS

STATUSES: Final = StatusTable(
    {
        "pending": Status.PENDING,
        "submitted_to_provider": Status.SUBMITTED,
        "accepted": Status.ACCEPTED,
        "rejected": Status.REJECTED,
        "scheduled": Status.SCHEDULED,
        "in_progress": Status.IN_PROGRESS,
        "completed": Status.COMPLETED,
        "active": Status.ACTIVE,
        "cancelled": Status.CANCELLED,
        "failed": Status.FAILED,
    }
)
RECOVERS: Final = ByStatusWord(
    {"failed": frozenset({Status.SCHEDULED, Status.IN_PROGRESS, Status.COMPLETED})}
)
"""Source: the reseller documentation on failed installations: "work with the provider to
reschedule". So a failed order may still be installed."""


_STATUS_OF_EVENT: Final = ByStatusWord(
    {
        "order.scheduled": "scheduled",
        "order.completed": "completed",
        "order.rejected": "rejected",
    }
)
"""The status of events that have no ``newStatus``: it follows from their name."""
LIST: Final = DeclaredList(
    {
        "path": "/reseller/orders",
        "items": "orders",
        "pages": {"kind": "cursor", "parameter": "cursor", "next": "nextCursor"},
        "page_size": {"parameter": "limit", "most": 10_000},
        "since": {"parameter": "updatedSince"},
    },
    changed_at="updatedAt",
)
_UP_TO_THE_CUSTOMER: Final = frozenset({"customer_unreachable", "customer_not_home"})


class Offergrid:
    """The adapter."""

    name = "offergrid"
    statuses = STATUSES
    service_types = frozenset(
        {"internet", "tv", "security", "energy", "insurance", "mobile", "business"}
    )

    @property
    def rules(self) -> Rules:
        return Rules(
            examine=examine, waits=waits, recovers=RECOVERS, read_status=STATUSES.read_status
        )

    signature_scheme: str | None = STANDARD_WEBHOOKS
    orders_path: tuple[str, ...] = ("orders",)
    change_field: str | None = "updatedAt"
    has_items = True
    pages_can_shift = False

    def read_event(self, event: Json, *, connection: Connection, seen_at: datetime) -> list[Report]:
        """One report. An unknown event is recorded with its name as the raw status."""
        said = read_shape(Event, event)
        if said.is_status_change and not said.newStatus:
            raise BadPayload("not the expected Event: newStatus: missing")
        raw = _raw_status(said)
        details = present(
            appointment=instant_text(said.scheduledFor),
            account_number=said.accountNumber,
            **_why(raw, said.reason, said.providerNotes, connection),
            notes=read_notes(said.providerNotes),
            unread=said.unread,
        )
        return [
            Report(
                connection=connection.id,
                order_id=said.orderId,
                item_id=said.itemId,
                status=STATUSES.get(raw),
                raw_status=raw,
                occurred_at=said.timestamp,
                seen_at=seen_at,
                source=Source.WEBHOOK,
                details=details,
            )
        ]

    def read_order(
        self, order: Json, *, connection: Connection, requested_at: datetime
    ) -> list[Report]:
        """One report for each item, dated by the item's own last change."""
        whole = read_shape(Order, order)
        shared = _details_of_order(whole)
        return [
            Report(
                connection=connection.id,
                order_id=whole.orderId,
                item_id=item.itemId,
                status=STATUSES.get(item.status),
                raw_status=item.status,
                occurred_at=_last_change(item, whole),
                seen_at=requested_at,
                source=Source.POLL,
                snapshot_at=requested_at,
                details={
                    **shared,
                    **_details_of_item(item, connection),
                    **present(unread=whole.unread_for("items", place)),
                },
            )
            for place, item in enumerate(whole.items)
        ]

    def split_order(self, order: Json) -> list[Json]:
        """One order for each item."""
        items = order.get("items") if isinstance(order, Mapping) else None
        return [{**order, "items": [item]} for item in items] if isinstance(items, list) else []

    def split_event(self, event: Json) -> list[Json]:
        """Empty: an event is about one item."""
        return []

    def first_page(self, connection: Connection, *, changed_since: datetime | None) -> PageRequest:
        return LIST.first_page(connection, changed_since=changed_since)

    def read_page(self, body: Json, *, request: PageRequest) -> Page:
        cursor = body.get("nextCursor") if isinstance(body, Mapping) else None
        if cursor is not None and not isinstance(cursor, str):
            raise BrokenPage("the page's nextCursor is neither a text nor null")
        return LIST.read_page(body, request=request)

    def order_request(self, order_id: str) -> PageRequest:
        return PageRequest(f"/reseller/orders/{one_segment(order_id)}")

    def read_one(self, body: Json) -> Json:
        return object_in(body)

    @property
    def actions(self) -> Mapping[str, ProviderAction]:
        return ACTIONS

    def read_refusal(self, body: Json) -> str | None:
        return words_in(body, "message")

    def sign_in(
        self, connection: Connection, credentials: Mapping[str, str], *, http: Http, now: datetime
    ) -> SignIn:
        key = credential(connection, credentials, "api_key")
        return SignIn({"x-api-key": key, "accept": "application/json"})


def _raw_status(said: Event) -> str:
    """The event's raw status; for an unknown event, its name."""
    if said.is_status_change:
        return said.newStatus or said.event
    return _STATUS_OF_EVENT.get(said.event, said.event)


def _last_change(item: Item, order: Order) -> datetime:
    changed = item.updatedAt or order.updatedAt
    if changed is None:
        raise BadPayload("not the expected Order: updatedAt: missing, or no time that can be right")
    return changed


def _details_of_order(order: Order) -> Details:
    customer, address = order.customer or Customer(), order.address or Address()
    return present(
        reference=order.reference,
        ordered_at=instant_text(order.createdAt),
        customer=present_part(
            name=" ".join(filter(None, (customer.firstName, customer.lastName))),
            email=customer.email,
            phone=customer.phone,
        ),
        address=present_part(
            street=address.street,
            unit=address.unitNumber,
            postcode=address.postcode,
            city=", ".join(filter(None, (address.suburb, address.city))),
            region=address.state,
            country=address.country,
        ),
    )


def _details_of_item(item: Item, connection: Connection) -> Details:
    return present(
        offer=present_part(id=item.offerId, name=item.offerName, supplier=item.provider),
        service_type=item.serviceType,
        appointment=instant_text(item.scheduledFor),
        account_number=item.accountNumber,
        **_why(item.status, item.reason, item.providerNotes, connection),
        notes=read_notes(item.providerNotes),
        commission=_details_of_commission(item.commission),
    )


def _details_of_commission(commission: Commission | None) -> dict[str, object]:
    if commission is None:
        return {}
    return present_part(
        amount=commission.amount,
        currency=commission.currency,
        status=commission.status,
        paid_at=instant_text(commission.paidAt),
    )


def examine(_status: Status, details: Details) -> Iterable[Attention]:
    """Mistakes in the customer's data that are known to cause rejections."""
    yield from check_contact(details)
    yield from check_unit(details)


def waits(_status: Status, details: Details) -> str | None:
    """Waits for the customer if they couldn't be reached, or weren't at home.

    Source: the reseller documentation: notes contain the outcome of contacts with the customer, and
    "customer can't be reached" and "customer not home" are among the usual problems.
    """
    causes = {cause_of(note["text"]) for note in details.get("notes", [])}
    return "contact" if causes & _UP_TO_THE_CUSTOMER else None


def _why(
    raw_status: str, reason: str | None, notes: str | None, connection: Connection
) -> dict[str, str | None]:
    """The reason and its cause, and whether the reason was taken from the notes."""
    in_notes = None if reason else _reason_in_notes(raw_status, notes)
    return {
        "reason": reason or in_notes,
        "reason_source": FROM_NOTES if in_notes else None,
        "cause": cause_of(reason or in_notes, connection.causes),
    }


def _reason_in_notes(raw_status: str, notes: str | None) -> str | None:
    """The reason of a failure or cancellation. The provider has no field for it and gives it only
    in notes."""
    if STATUSES.get(raw_status) not in (Status.FAILED, Status.CANCELLED):
        return None
    said = (note["text"] for note in read_notes(notes) if note["kind"] in KINDS_OF_EXPLAINING_NOTES)
    return "\n".join(said) or None
