"""Orders, their lists, figures and batches for a role that is limited to connections."""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import unquote

from milepost.api.narrowed_service import Narrowed, limited, not_for_narrowed, require_connection
from milepost.api.problems import NotFound
from milepost.orders.order import OrderKey
from milepost.queries.order_finder import FoundOrders
from milepost.queries.order_list import Page
from milepost.queries.saved_views import Shared, View


class NarrowedOrders(Narrowed):
    def read(self, key: OrderKey) -> Any:
        return self.inner.read(key) if self._has(key) else None

    def read_group(self, connection_id: str, order_id: str) -> Any:
        return self.inner.read_group(connection_id, order_id) if self._of([connection_id]) else []


class NarrowedLists(Narrowed):
    def page(self, wanted: Any, **how: Any) -> Any:
        asked = limited(wanted, self.allowed)
        return Page([], None) if asked is None else self.inner.page(asked, **how)

    def first_pages(self, wanted: Sequence[Any], **how: Any) -> Any:
        asked = [one for each in wanted if (one := limited(each, self.allowed))]
        if len(asked) < len(wanted):
            return [self.page(one, after=None, **how) for one in wanted]
        return self.inner.first_pages(asked, **how)

    def look_up(self, keys: Sequence[OrderKey]) -> Any:
        return self.inner.look_up([key for key in keys if self._has(key)])

    def read_facts(self, orders: Sequence[Any]) -> Any:
        return self.inner.read_facts([one for one in orders if self._has(one.key)])


class NarrowedSearch(Narrowed):
    def find_by_words(self, readings: Sequence[Any], *, connections: Iterable[str]) -> FoundOrders:
        found = self.inner.find_by_words(readings, connections=self._of(connections))
        return FoundOrders([key for key in found.keys if self._has(key)], found.more)

    def find_by_reference(self, text: str, *, connections: Iterable[str]) -> list[OrderKey]:
        found = self.inner.find_by_reference(text, connections=self._of(connections))
        return [key for key in found if self._has(key)]

    def find_by_email(self, email: str) -> list[OrderKey]:
        return [key for key in self.inner.find_by_email(email) if self._has(key)]

    def orders_of_customer(self, customer_id: str) -> list[OrderKey]:
        return [key for key in self.inner.orders_of_customer(customer_id) if self._has(key)]


class NarrowedFigures(Narrowed):
    def counts(self, connection_ids: Iterable[str]) -> Any:
        return self.inner.counts(self._of(connection_ids))

    def stages(self, connection_ids: Iterable[str], *, months: Iterable[str]) -> Any:
        return self.inner.stages(self._of(connection_ids), months=months)

    def stages_by_raw_status(self, connection_ids: Iterable[str], *, months: Iterable[str]) -> Any:
        return self.inner.stages_by_raw_status(self._of(connection_ids), months=months)

    def outcomes(self, connection_ids: Iterable[str], *, months: Iterable[str]) -> Any:
        return self.inner.outcomes(self._of(connection_ids), months=months)

    def acceptances(self, connection_ids: Iterable[str], *, months: Iterable[str]) -> Any:
        return self.inner.acceptances(self._of(connection_ids), months=months)


class NarrowedForecasts(Narrowed):
    def read(self, connection_id: str) -> Any:
        return self.inner.read(connection_id) if connection_id in self.allowed else None

    def read_all(self, connection_ids: Iterable[str]) -> Any:
        return self.inner.read_all(self._of(connection_ids))

    def scorecards(self) -> Any:
        # A provider's scorecard has figures of all its connections.
        own, _ = self.inner.scorecards()
        return [one for one in own if one.name in self.allowed], []


class NarrowedCurrentOrders(Narrowed):
    def read_all(self, keys: Sequence[OrderKey]) -> Any:
        return self.inner.read_all([key for key in keys if self._has(key)])


class NarrowedActing(Narrowed):
    def for_order(self, key: OrderKey) -> Any:
        require_connection(key.connection, self.allowed)
        return self.inner.for_order(key)

    def forget_credentials(self) -> None:
        self.inner.forget_credentials()


class NarrowedTrackingLinks(Narrowed):
    def make(self, key: OrderKey, connection: Any, *, now: Any) -> Any:
        require_connection(key.connection, self.allowed)
        return self.inner.make(key, connection, now=now)

    def revoke(self, key: OrderKey, *, at: Any) -> None:
        require_connection(key.connection, self.allowed)
        self.inner.revoke(key, at=at)


class NarrowedBatches(Narrowed):
    """Batches that only have orders of these connections."""

    def put(self, batch: Any, targets: Any) -> None:
        if outside := next((one for one in targets if not self._has_target(one)), None):
            raise NotFound(f"There is no {outside.id}.")
        self.inner.put(batch, targets)

    def find(self, batch_id: str) -> Any:
        found = self.inner.find(batch_id)
        if found is None or not all(map(self._has_target, self.inner.targets(batch_id))):
            return None
        return found

    def page(self, **how: Any) -> Any:
        found, last = self.inner.page(**how)
        return [one for one in found if self.find(one.id) is not None], last

    def targets(self, batch_id: str) -> Any:
        return self.inner.targets(batch_id) if self.find(batch_id) else []

    def move(self, batch_id: str, **how: Any) -> Any:
        return self.find(batch_id) is not None and self.inner.move(batch_id, **how)

    def _has_target(self, one: Any) -> bool:
        return unquote(one.id.partition(":")[0]) in self.allowed


class NarrowedViews(Narrowed):
    """The caller's own views, and the team's views that name no other connections."""

    def of(self, subject: str) -> Any:
        return [one for one in self.inner.of(subject) if self._is_seen(one)]

    def put(self, view: Any, *, subject: str) -> None:
        self._require_own(view)
        self.inner.put(view, subject=subject)

    def delete(self, view: Any, *, subject: str) -> None:
        self._require_own(view)
        self.inner.delete(view, subject=subject)

    def _is_seen(self, view: View) -> bool:
        named = set(view.filters.get("connection", ()))
        return view.shared is Shared.OWN or named <= self.allowed

    def _require_own(self, view: View) -> None:
        if view.shared is not Shared.OWN:
            raise not_for_narrowed()
