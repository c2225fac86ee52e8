"""Base of adapters whose provider sends each order as a whole, by webhook and by poll.

Such an order is tracked as one item, and each of its payloads is a snapshot. Responses have their
contents below ``data``, and errors their message in ``error.message``; requests are authenticated
by a bearer token.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Generic, TypeVar

from milepost.connections.connection import Connection
from milepost.orders.details import Details
from milepost.orders.report import Report, Source
from milepost.providers.base import Http, Json, Page, PageRequest, SignIn
from milepost.providers.envelopes import (
    bearer,
    credential,
    made_at,
    object_in,
    payload_in,
    words_in,
)
from milepost.providers.listing import DeclaredList
from milepost.providers.payload_types import Id, Instant, Shape, read_shape
from milepost.providers.status_words import StatusTable


class WholeOrder(Shape):
    """The fields that all such orders have."""

    id: Id
    updated_at: Instant


Said = TypeVar("Said", bound=WholeOrder)


class WholeOrders(ABC, Generic[Said]):
    """Reads such orders and lists of them; the adapter adds their facts and its actions."""

    orders_path: tuple[str, ...] = ("data",)
    change_field: str | None = "updated_at"
    has_items = False
    shape: type[Said]
    event_path: ClassVar[tuple[str, ...]]
    """The path of names to the order in a webhook."""
    statuses: ClassVar[StatusTable]
    order_list: ClassVar[DeclaredList]
    credential_name: ClassVar[str]
    """The name of the bearer token among the connection's credentials."""

    @abstractmethod
    def raw_status(self, said: Said) -> tuple[str, datetime | None]:
        """The raw status, and when the order entered it, if the provider says so."""

    @abstractmethod
    def details(self, said: Said, connection: Connection) -> Details:
        """The facts of the order."""

    def read_event(self, event: Json, *, connection: Connection, seen_at: datetime) -> list[Report]:
        """The report of the order that the event carries."""
        said = read_shape(self.shape, payload_in(event, *self.event_path))
        made = made_at(event, seen_at=seen_at)
        return [self._report(said, connection, seen_at, Source.WEBHOOK, made)]

    def read_order(
        self, order: Json, *, connection: Connection, requested_at: datetime
    ) -> list[Report]:
        """The single report of an order."""
        said = read_shape(self.shape, order)
        return [self._report(said, connection, requested_at, Source.POLL, requested_at)]

    def split_order(self, order: Json) -> list[Json]:
        """Empty: an order is tracked as a whole."""
        return []

    def split_event(self, event: Json) -> list[Json]:
        """Empty: an order is tracked as a whole."""
        return []

    def first_page(self, connection: Connection, *, changed_since: datetime | None) -> PageRequest:
        return self.order_list.first_page(connection, changed_since=changed_since)

    def read_page(self, body: Json, *, request: PageRequest) -> Page:
        return self.order_list.read_page(body, request=request)

    def read_one(self, body: Json) -> Json:
        return object_in(body, "data")

    def read_refusal(self, body: Json) -> str | None:
        return words_in(body, "error", "message")

    def sign_in(
        self, connection: Connection, credentials: Mapping[str, str], *, http: Http, now: datetime
    ) -> SignIn:
        return SignIn(bearer(credential(connection, credentials, self.credential_name)))

    def _report(
        self,
        said: Said,
        connection: Connection,
        seen_at: datetime,
        source: Source,
        snapshot_at: datetime,
    ) -> Report:
        """A report dated by the order's last change of any kind, which may be within one status."""
        raw_status, entered = self.raw_status(said)
        return Report(
            connection=connection.id,
            order_id=said.id,
            item_id=said.id,
            status=self.statuses.get(raw_status),
            raw_status=raw_status,
            occurred_at=max(filter(None, (entered, said.updated_at))),
            status_since=entered,
            seen_at=seen_at,
            source=source,
            snapshot_at=snapshot_at,
            details=self.details(said, connection),
        )
