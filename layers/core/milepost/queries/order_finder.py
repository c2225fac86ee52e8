"""Order lists with the fields that people need: filtered, sorted, searched and counted.

What the API, the command and the console ask for lists. Roles that may see some connections only
narrow ``Wanted.connections`` before they ask.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol, TypeAlias

from milepost.common.status import Status
from milepost.connections.connection import Connection
from milepost.orders.order import OrderKey
from milepost.queries.list_choices import Sort
from milepost.queries.order_list import (
    NO_ZONE,
    Listed,
    Lists,
    Page,
    Place,
    Wanted,
    has_wanted_facts,
    is_wanted,
)
from milepost.queries.phone_words import phone_readings
from milepost.queries.search_words import Reading, readings_of

MOST_FOUND: Final = 500
"""The maximum number of orders that one search finds; for more, the result says that there are
more.
"""
MOST_SORTED: Final = 2_000
"""Orders of a list that is sorted by something else than the next date: they are sorted here."""
MOST_COUNTED: Final = 1_000
"""The maximum number of orders that are counted one by one; for more, the result says that there
are more.
"""
_READ_AT_ONCE: Final = 1_000


Ends: TypeAlias = Callable[[Sequence[Listed]], Mapping[OrderKey, datetime]]
"""When orders with their facts will probably be completed; orders without a forecast are left
out.
"""


class TooManyToSort(Exception):
    """The list has too many orders to be sorted by anything but the next date."""


@dataclass(frozen=True, slots=True)
class FoundOrders:
    """The result of a search; ``more`` if there are, or may be, more orders than these."""

    keys: Sequence[OrderKey]
    more: bool


class Search(Protocol):
    """Finds orders by the values that people know."""

    def find_by_words(
        self, readings: Sequence[Reading], *, connections: Iterable[str]
    ) -> FoundOrders:
        """Orders whose words begin with all words of one reading of the query."""
        ...

    def find_by_reference(self, text: str, *, connections: Iterable[str]) -> list[OrderKey]: ...
    def find_by_email(self, email: str) -> list[OrderKey]: ...


class Figures(Protocol):
    """How many orders of each connection are in each status."""

    def counts(self, connection_ids: Iterable[str]) -> Mapping[str, Mapping[Status, int]]: ...


class Connections(Protocol):
    """Settings of connections, and connections with invalid settings."""

    def all(self) -> Mapping[str, Connection]: ...
    def unusable(self) -> "Mapping[str, Unusable]": ...


class Unusable(Protocol):
    @property
    def provider(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Count:
    """The number of orders in a list; ``more`` if there are more than ``number``."""

    number: int
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFinder:
    """Finds orders for lists; every order of a page has its facts."""

    lists: Lists
    search: Search
    figures: Figures
    connections: Connections

    def page(
        self,
        wanted: Wanted,
        *,
        text: str | None = None,
        sort: Sort = Sort.NEXT_DATE,
        after: Place | None = None,
        limit: int = 50,
        ends: "Ends | None" = None,
    ) -> Page:
        """A page of a list.

        :param text: what is searched for; None for a list without a search
        :param after: ``last`` of the page before, of the same list
        :param ends: for ``Sort.FORECAST``
        :raises TooManyToSort: when the list is too long for this way to sort it
        """
        if text is None and sort is Sort.NEXT_DATE:
            page = self.lists.page(wanted, zones=self._zones(), after=after, limit=limit)
            orders = page.orders if wanted.needs_facts else self.lists.read_facts(page.orders)
            return Page(orders, page.last)
        orders, more = self._found(text, wanted) if text is not None else self._to_sort(wanted)
        if sort in _BY_FACTS:
            orders = self._with_facts(orders, wanted, text)
        page = _page_of(_sorted(orders, sort, ends), after=after, limit=limit)
        return Page(self._with_facts(page.orders, wanted, text), page.last, more)

    def page_and_counts(self, wanted: Wanted, **how: Any) -> tuple[Page, dict[Status, int]]:
        """A page of a list and ``counts``, read in parallel.

        :param how: as for ``page``
        :raises TooManyToSort: as ``page`` does
        """
        self.connections.all()  # Both need the settings, which are read once.
        with ThreadPoolExecutor(1) as beside:
            counts = beside.submit(self.counts, wanted)
            return self.page(wanted, **how), counts.result()

    def first_pages(self, wanted: Sequence[Wanted], *, limit: int) -> list[Page]:
        """The first page of each of several lists by next date."""
        pages = self.lists.first_pages(wanted, zones=self._zones(), limit=limit)
        shown = {one.key: one for page in pages for one in page.orders}
        known = {one.key: one for one in self.lists.read_facts([*shown.values()])}
        return [
            replace(page, orders=[known[one.key] for one in page.orders if one.key in known])
            for page in pages
        ]

    def matching(
        self, wanted: Wanted, *, text: str | None = None, most: int
    ) -> tuple[Sequence[Listed], bool]:
        """At most this many orders of a list, sorted by next date, and whether there are more.

        :param text: what is searched for; None for a list without a search
        """
        if text is None:
            return self._read(wanted, most)
        orders, more = self._found(text, wanted)
        found = sorted(orders, key=_SORT_KEYS[Sort.NEXT_DATE])
        return found[:most], more or len(found) > most

    def in_order(
        self, orders: Iterable[Listed], sort: Sort, *, ends: "Ends | None" = None
    ) -> Sequence[Listed]:
        """Orders of ``matching`` with their facts, in the order of the list's pages."""
        known = list(orders)
        if not all(one.updated_at for one in known):
            known = list(self.lists.read_facts(known))
        if sort is Sort.NEXT_DATE:
            # The pages have orders of one date by their shards, so they are not sorted again.
            return known
        return _sorted(known, sort, ends)

    def count(self, wanted: Wanted, *, text: str | None = None, most: int = MOST_COUNTED) -> Count:
        """The number of orders in a list: from the figures if its filters allow that, else by
        reading a limited number of orders."""
        if text is not None:
            found, more = self._found(text, wanted)
            return Count(len(found), more)
        if _is_counted(wanted):
            counts = self.counts(wanted)
            return Count(sum(counts.get(status, 0) for status in set(wanted.statuses)))
        orders, more = self._read(wanted, most)
        return Count(len(orders), more)

    def counts(self, wanted: Wanted) -> dict[Status, int]:
        """Orders by status at the connections of a list, whatever its other filters."""
        providers = {name: one.provider for name, one in self.connections.all().items()}
        providers |= {n: one.provider or "" for n, one in self.connections.unusable().items()}
        names = [
            name
            for name, provider in providers.items()
            if (not wanted.connections or name in wanted.connections)
            and wanted.provider in (None, provider)
        ]
        counts: dict[Status, int] = {}
        for statuses in self.figures.counts(names).values():
            for status, number in statuses.items():
                counts[status] = counts.get(status, 0) + number
        return {status: counts[status] for status in Status if counts.get(status)}

    def _zones(self) -> dict[str, str]:
        return {name: one.time_zone for name, one in self.connections.all().items()}

    def _found(self, text: str, wanted: Wanted) -> tuple[list[Listed], bool]:
        """The orders that a search finds, few enough to be sorted here, and whether there may be
        more.
        """
        known = self.connections.all()
        connections = wanted.connections or {*known, *self.connections.unusable()}
        countries = {one.country for name, one in known.items() if name in connections}
        readings = (*readings_of(text), *phone_readings(text, countries=countries))
        found = self.search.find_by_words(readings, connections=connections)
        # Orders that were indexed by an earlier version are found by no other words.
        earlier = (
            self.search.find_by_email(text)
            if "@" in text
            else self.search.find_by_reference(text, connections=connections)
        )
        keys = list(dict.fromkeys([*found.keys, *earlier]))
        zones = self._zones()
        orders = [
            one
            for one in self.lists.look_up(keys[:MOST_FOUND])
            if is_wanted(one, wanted, zone=zones.get(one.key.connection, NO_ZONE))
            and has_wanted_facts(one, wanted)
        ]
        return orders, found.more or len(keys) > MOST_FOUND

    def _to_sort(self, wanted: Wanted) -> tuple[list[Listed], bool]:
        orders, more = self._read(wanted, MOST_SORTED)
        if more:
            raise TooManyToSort
        return orders, False

    def _read(self, wanted: Wanted, most: int) -> tuple[list[Listed], bool]:
        """At most this many orders of a list, and whether there are more."""
        orders: list[Listed] = []
        after: Place | None = None
        while len(orders) < most:
            limit = min(_READ_AT_ONCE, most - len(orders))
            page = self.lists.page(wanted, zones=self._zones(), after=after, limit=limit)
            orders += page.orders
            after = page.last
            if after is None:
                return orders, False
        return orders, True

    def _with_facts(
        self, orders: Sequence[Listed], wanted: Wanted, text: str | None
    ) -> Sequence[Listed]:
        """The orders with their facts, which were already read if the orders were looked up or a
        filter needed them.
        """
        if text is not None or wanted.needs_facts or all(one.updated_at for one in orders):
            return orders
        return self.lists.read_facts(orders)


def _is_counted(wanted: Wanted) -> bool:
    """Whether the figures can count the list's orders, since it filters only by status, connection
    and provider.
    """
    plain = Wanted(
        asked_at=wanted.asked_at,
        statuses=wanted.statuses,
        connections=wanted.connections,
        provider=wanted.provider,
    )
    return wanted == plain


def _page_of(orders: Sequence[Listed], *, after: Place | None, limit: int) -> Page:
    """A page of a sorted list. A position consists of the number of orders before it, and the last
    of them, since the orders may have changed in the meantime."""
    start = 0
    if after is not None:
        places = (place for place, one in enumerate(orders, 1) if one.key == after.key)
        start = next(places, int(after.shard or 0))
    page = orders[start : start + limit]
    if start + limit >= len(orders):
        return Page(page, None)
    return Page(page, Place(page[-1].next_date, str(start + limit), page[-1].key))


def _sorted(orders: Iterable[Listed], sort: Sort, ends: Ends | None) -> list[Listed]:
    listed = sorted(orders, key=_SORT_KEYS[sort])
    if sort is not Sort.FORECAST:
        return listed
    known = ends(listed) if ends else {}
    return sorted(listed, key=lambda one: (one.key not in known, known.get(one.key, _LAST)))


def _by_customer(one: Listed) -> tuple[object, ...]:
    # Orders without a name come last.
    name = one.customer_name
    return (name is None, (name or "").casefold(), one.next_date, one.key)


_LAST: Final = datetime.max.replace(tzinfo=UTC)
_BY_FACTS: Final = frozenset({Sort.CUSTOMER, Sort.FORECAST})
"""What the index alone can't sort by."""
_SORT_KEYS: Final[Mapping[Sort, Callable[[Listed], tuple[object, ...]]]] = {
    Sort.NEXT_DATE: lambda one: (one.next_date, one.key),
    Sort.SINCE: lambda one: (one.since, one.next_date, one.key),
    Sort.CUSTOMER: _by_customer,
    Sort.PROVIDER: lambda one: (one.provider, one.next_date, one.key),
    Sort.FORECAST: lambda one: (one.next_date, one.key),
}
