"""RABOT Energy: energy supply in Germany. Polling only; orders have no time of change.

Source: RABOT's partner API documentation, its lifecycle guide (``Denied``), and its notes on how a
meter or MaLo number speeds up the change of supplier. docs/providers/rabot.md says which parts of
the interface the project defined. A payload may contain a password or an IBAN: the models have no
fields for them, so they are dropped.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from milepost.common.causes import CUSTOMER_REVOKED, cause_of
from milepost.common.errors import BadPayload
from milepost.common.status import Status, is_same_word
from milepost.connections.connection import Connection
from milepost.orders.details import Details
from milepost.orders.lifecycle import OPEN
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
from milepost.providers.completeness import (
    MISSING,
    check_contact,
    check_meter_identifiers,
    check_reachable,
)
from milepost.providers.detail_parts import instant_text, present, present_part
from milepost.providers.envelopes import object_in, one_segment, orders_on, words_in
from milepost.providers.payload_types import read_shape
from milepost.providers.rabot_auth import ask_for_token
from milepost.providers.rabot_payload import BERLIN, Address, DeliveryState, Order
from milepost.providers.status_words import ByStatusWord, StatusTable

STATUSES: Final = StatusTable(
    {
        "Open": Status.PENDING,
        "Processing": Status.SUBMITTED,
        "PendingDelivery": Status.ACCEPTED,
        "Delivery": Status.ACTIVE,
        "Rejected": Status.REJECTED,
        "Denied": Status.REJECTED,
        "Revoked": Status.CANCELLED,
        "Cancelled": Status.CANCELLED,
    },
    without_meaning=("Unspecified",),
)
"""``Unspecified`` has no meaning on purpose, so a person should look. Source: the
lifecycle guide: during Processing, grid operator and previous supplier may still refuse, so the
order isn't accepted yet; with PendingDelivery the contract confirmation is sent. ``status_of``
makes that scheduled once a start date is known."""
_CONFIRMED: Final = "PendingDelivery"

_BEFORE_CONFIRMATION: Final = frozenset({STATUSES.get("Open"), STATUSES.get("Processing")})

OVERLAP: Final = 10
"""Number of orders that two consecutive pages share. Offsets shift while orders are added and
removed; pages that overlap lose none."""


class Rabot:
    """The adapter."""

    name = "rabot"
    statuses = STATUSES
    service_types = frozenset({"energy"})
    signature_scheme: str | None = None
    orders_path: tuple[str, ...] = ("data", "orders")
    change_field: str | None = None
    has_items = False
    pages_can_shift = False

    @property
    def rules(self) -> Rules:
        return RULES

    def read_event(self, event: Json, *, connection: Connection, seen_at: datetime) -> list[Report]:
        """:raises BadPayload: always; RABOT has no webhooks"""
        raise BadPayload("RABOT sends no webhooks")

    def read_order(
        self, order: Json, *, connection: Connection, requested_at: datetime
    ) -> list[Report]:
        """The single report of an order. It is dated by the request, since the order has no date of
        its own."""
        said = read_shape(Order, order)
        details = _details(said, connection)
        return [
            Report(
                connection=connection.id,
                order_id=said.contractNumber,
                item_id=said.contractNumber,
                status=status_of(said.state, details),
                raw_status=said.state,
                occurred_at=requested_at,
                seen_at=requested_at,
                source=Source.POLL,
                snapshot_at=requested_at,
                details=details,
                dated_by_fetch=True,
            )
        ]

    def split_order(self, order: Json) -> list[Json]:
        """Empty: an order is tracked as a whole."""
        return []

    def split_event(self, event: Json) -> list[Json]:
        """Empty: there are no webhooks."""
        return []

    def first_page(self, connection: Connection, *, changed_since: datetime | None) -> PageRequest:
        """The first page of the whole list: there is no filter by change."""
        return _page_at(0, connection.page_size)

    def read_page(self, body: Json, *, request: PageRequest) -> Page:
        """One page; ``isSuccess: false`` with HTTP 200 is an error, not an empty page."""
        if body.get("isSuccess") is not True:
            raise BrokenPage(f"the provider says that the page failed: {_error_codes(body)}")
        data = body.get("data")
        orders = orders_on(data if isinstance(data, dict) else {}, "orders")
        more = body.get("hasMoreItems")
        if not isinstance(more, bool):
            raise BrokenPage("the page doesn't say whether there are more (hasMoreItems)")
        # An order that a page lists twice counts only once for the page's length.
        different = {_name_of(order, place) for place, order in enumerate(orders)}
        return Page(orders=orders, next=_following(request, len(different)) if more else None)

    def order_request(self, order_id: str) -> PageRequest:
        return PageRequest(f"/partner/v1/orders/{one_segment(order_id)}")

    def read_one(self, body: Json) -> Json:
        """The order at ``data.order``; a response with ``isSuccess: false`` and HTTP 200 has
        none."""
        if body.get("isSuccess") is not True:
            raise BrokenPage(f"the provider says that it failed: {_error_codes(body)}")
        return object_in(body, "data", "order")

    @property
    def actions(self) -> Mapping[str, ProviderAction]:
        """Empty: the partner API documents no call that changes an order."""
        return {}

    def read_refusal(self, body: Json) -> str | None:
        return words_in(body, "message")

    def sign_in(
        self, connection: Connection, credentials: Mapping[str, str], *, http: Http, now: datetime
    ) -> SignIn:
        return ask_for_token(connection, credentials, http=http, now=now)


_CODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,60}")
"""What is shown as a code; a sentence isn't one."""


def status_of(raw_status: str, details: Details) -> Status | None:
    """The canonical status of a state: a confirmed contract is scheduled once its start date is
    known.

    Source: the lifecycle guide: with PendingDelivery the contract confirmation is sent, and the
    supply waits for its start date.
    """
    status = STATUSES.get(raw_status)
    is_confirmed = is_same_word(raw_status, _CONFIRMED)
    return Status.SCHEDULED if is_confirmed and details.get("delivery_start") else status


def _page_at(offset: int, limit: int) -> PageRequest:
    return PageRequest("/partner/v1/orders", {"offset": str(offset), "limit": str(limit)})


def _following(request: PageRequest, received: int) -> PageRequest:
    offset, limit = int(request.query["offset"]), int(request.query["limit"])
    step = max(received - OVERLAP, (received + 1) // 2)
    if step <= 0:
        raise BrokenPage("an empty page says that there are more")
    return _page_at(offset + step, limit)


def _error_codes(body: Json) -> str:
    """The codes of an envelope's errors, without their messages, which may quote the request."""
    errors = body.get("error")
    listed = errors if isinstance(errors, list) else []
    codes = (one.get("code") for one in listed if isinstance(one, dict))
    named = [str(code) for code in codes if isinstance(code, str | int)]
    named = [code for code in named if _CODE.fullmatch(code)]
    return ", ".join(named[:3]) or "without a code"


def _name_of(order: Any, place: int) -> object:
    """The identity of an order on its page; an unreadable order equals no other."""
    number = order.get("contractNumber") if isinstance(order, dict) else None
    return number if isinstance(number, str | int) else (place,)


def _details(order: Order, connection: Connection) -> Details:
    address = order.deliveryAddress or Address()
    delivery = order.deliveryState or DeliveryState()
    start = delivery.startDate or order.actualDateOfDelivery
    return present(
        reference=order.contractNumber,
        customer=present_part(
            number=order.customerNumber,
            name=" ".join(filter(None, (order.firstName, order.lastName))),
            business=order.businessName,
            email=order.emailAddress,
        ),
        address=present_part(
            street=" ".join(filter(None, (address.street, address.houseNumber))),
            unit=address.addressAddition,
            postcode=address.postcode,
            city=address.city,
            country=address.country,
        ),
        service_type=connection.service_type or "energy",
        offer=present_part(name=order.tariffName),
        meter_number=order.meterNumber,
        malo=order.maLoIdentifier,
        melo=order.meLoIdentifier,
        yearly_consumption=order.estimatedYearlyConsumption,
        previous_consumption=order.previousYearConsumption,
        signed_at=instant_text(order.contractSignedAt) or _day(order.contractSignatureDate),
        appointment=_day(start),
        delivery_start=_day(start),
        delivery_end=_day(order.endDateOfDelivery or delivery.endDate),
        delivery_state=delivery.state,
        delivery_message=delivery.message,
        processing_info=order.processingInfo,
        reason=_reason(order, delivery),
        cause=_cause(order, delivery, connection),
        unread=order.unread,
    )


def _reason(order: Order, delivery: DeliveryState) -> str | None:
    """The reason, if it is about the current state; the reason of an earlier denial isn't."""
    if STATUSES.get(order.state) is Status.CANCELLED:
        return delivery.cancellationReason
    if STATUSES.get(order.state) is Status.REJECTED:
        return order.denialReason or delivery.denialReason or delivery.cancellationReason
    return None


def _cause(order: Order, delivery: DeliveryState, connection: Connection) -> str | None:
    """The cause of the reason; a revocation always comes from the customer, whatever the reason
    says.

    Source: the lifecycle guide.
    """
    if is_same_word(order.state, "Revoked"):
        return CUSTOMER_REVOKED
    return cause_of(_reason(order, delivery), connection.causes)


def _day(moment: datetime | None) -> str | None:
    """The day in Berlin: RABOT gives days as midnight."""
    return moment.astimezone(BERLIN).date().isoformat() if moment else None


def examine(status: Status, details: Details) -> Iterable[Attention]:
    """Facts that an open order lacks, and how they would help.

    During Processing, the order waits for grid operator and previous supplier, so numbers help.

    Source: RABOT's partner documentation: 80% faster with a meter number, 90% with a MaLo number.
    The order continues without them, only more slowly, so this doesn't count as a wait for the
    customer.
    """
    yield from check_contact(details)
    yield from check_meter_identifiers(details)
    if status in OPEN:
        yield from check_reachable(details)
    if status not in _BEFORE_CONFIRMATION or details.get("malo"):
        return
    if details.get("meter_number"):
        yield Attention(
            MISSING,
            "Only the meter number is known. With a meter number the change of supplier is 80% "
            "faster, with a MaLo number 90%: ask the customer for the MaLo number on their bill.",
        )
    else:
        yield Attention(
            MISSING,
            "Neither a MaLo number nor a meter number is known. With a meter number the change of "
            "supplier is 80% faster, with a MaLo number 90%: ask the customer for one of them.",
        )


RULES: Final = Rules(
    # Source: RABOT's lifecycle guide. Support can reopen a denied order. Active supply usually ends
    # by a cancellation, so that is not a correction.
    recovers=ByStatusWord(
        {
            "Denied": frozenset(
                {
                    Status.PENDING,
                    Status.SUBMITTED,
                    Status.ACCEPTED,
                    Status.SCHEDULED,
                    Status.IN_PROGRESS,
                    Status.COMPLETED,
                    Status.ACTIVE,
                }
            )
        }
    ),
    continues=ByStatusWord(
        {"Delivery": frozenset({Status.CANCELLED}), "Denied": frozenset({Status.CANCELLED})}
    ),
    examine=examine,
    read_status=status_of,
)
