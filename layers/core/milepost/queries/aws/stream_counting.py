"""Counts orders: changes in OrdersTable's stream, and, for a backfill, the orders in the table."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from milepost.aws.dynamodb_items import from_item
from milepost.connections.connection import Connection
from milepost.orders.aws.erased_customers import LateOrders
from milepost.orders.aws.scan import OrderPages
from milepost.orders.aws.table import tracked_order
from milepost.orders.order import Order, OrderKey, TrackedOrder
from milepost.queries.aws.projector import MeasuredOrders, read_change
from milepost.queries.indexed_words import IndexedWords, Indexing, indexed_words
from milepost.queries.stage_durations import change_of

logger = logging.getLogger(__name__)

PAGE: Final = 50
ENOUGH_FOR_A_PAGE: Final = 20_000
"""The maximum milliseconds that a page of the backfill takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCounting:
    """Updates figures, stage durations and the search index."""

    measured: MeasuredOrders
    late_orders: LateOrders
    orders: OrderPages
    connection_of: Callable[[str], Connection | None]
    """The settings of a connection; None if it was removed or they can't be used."""
    page: int = PAGE
    """How many orders of the table the backfill counts at a time."""

    def count_all(self, records: Sequence[Mapping[str, Any]]) -> str | None:
        """Process the stream's records together; if that fails, one by one. Returns the sequence
        number of the first failure."""
        try:
            self._take(records)
        except Exception:
            logger.warning(
                "could not count a batch in one write, counting each record separately",
                exc_info=True,
            )
            return next((number for one in records if (number := self._count_one(one))), None)
        return None

    def backfill(self, after: str | None, *, remaining: Callable[[], int]) -> dict[str, Any]:
        """Process the table's orders after ``after``, while there is time.

        :param remaining: milliseconds that the invocation has left
        :returns: how many were counted; ``after`` is where to go on, None at the table's end
        """
        place = OrderKey.parse(after) if after else None
        number = 0
        while True:
            page, place = self.orders.read(after=place, limit=self.page)
            self.measured.take(change_of(None, one, words_of=self._words_of) for one in page)
            self._note_erased(page)
            number += len(page)
            if place is None or remaining() < ENOUGH_FOR_A_PAGE:
                logger.info("backfilled", extra={"orders": number})
                return {"counted": number, "after": str(place) if place else None}

    def _count_one(self, record: Mapping[str, Any]) -> str | None:
        """Process one record; returns its sequence number if that fails."""
        try:
            self._take([record])
        except Exception:
            logger.exception("could not count a change", extra={"event_id": record.get("eventID")})
            number: str = record["dynamodb"]["SequenceNumber"]
            return number
        return None

    def _take(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Process changes. Orders that can now be found are noted if their customer was erased in
        the meantime."""
        self.measured.take([read_change(record, words_of=self._words_of) for record in records])
        images = (record["dynamodb"].get("NewImage") for record in records)
        self._note_erased(tracked_order(from_item(image)) for image in images if image)

    def _words_of(self, order: Order) -> IndexedWords:
        """The search words of an order. If its connection was removed or is invalid, all words are
        indexed."""
        connection = self.connection_of(order.key.connection)
        if connection is None:
            return indexed_words(order, Indexing())
        return indexed_words(
            order, Indexing(fields=connection.search_fields, country=connection.country)
        )

    def _note_erased(self, orders: Iterable[TrackedOrder]) -> None:
        """Note orders of erased customers for ``finish_erasures``."""
        for key in self.late_orders.note(orders):
            logger.info("found after its customer was erased", extra={"order": str(key)})
