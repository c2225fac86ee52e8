"""Each service as seen by a role that is limited to connections."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, NoReturn
from urllib.parse import unquote

from milepost.activity.entry import Place
from milepost.activity.entry import Wanted as WantedEntries
from milepost.api.problems import NotFound, Problem
from milepost.connections.connection import UnknownConnection
from milepost.connections.health import Contact
from milepost.notifications.notice import NoticeId
from milepost.notifications.notice_list import NoticePage
from milepost.notifications.resend import CannotResend
from milepost.orders.order import OrderKey
from milepost.queries.order_finder import FoundOrders
from milepost.queries.order_list import Page
from milepost.queries.saved_views import Shared, View

Allowed = frozenset[str]


class Closed:
    """A service whose data belongs to no single connection: only for roles that aren't limited."""

    def __getattr__(self, name: str) -> NoReturn:
        raise _not_for_narrowed()

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        raise _not_for_narrowed()

    def __iter__(self) -> NoReturn:
        raise _not_for_narrowed()

    def __len__(self) -> NoReturn:
        raise _not_for_narrowed()


def _not_for_narrowed() -> Problem:
    return Problem(
        403,
        "This belongs to no single connection: it needs a group that is "
        "not limited to connections.",
    )


@dataclass(frozen=True, slots=True)
class Narrowed:
    """One service, and the connections that it is limited to."""

    inner: Any
    allowed: Allowed

    def _has(self, key: OrderKey) -> bool:
        return key.connection in self.allowed

    def _of(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name in self.allowed]


class NarrowedOrders(Narrowed):
    def read(self, key: OrderKey) -> Any:
        return self.inner.read(key) if self._has(key) else None

    def read_group(self, connection_id: str, order_id: str) -> Any:
        return self.inner.read_group(connection_id, order_id) if self._of([connection_id]) else []


class NarrowedLists(Narrowed):
    def page(self, wanted: Any, **how: Any) -> Any:
        asked = _wanted(wanted, self.allowed)
        return Page([], None) if asked is None else self.inner.page(asked, **how)

    def first_pages(self, wanted: Sequence[Any], **how: Any) -> Any:
        asked = [one for each in wanted if (one := _wanted(each, self.allowed))]
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


class NarrowedNotices(Narrowed):
    def of_order(self, key: OrderKey) -> Any:
        return self.inner.of_order(key) if self._has(key) else []

    def find(self, identity: NoticeId) -> Any:
        return self.inner.find(identity) if self._has(identity.key) else None

    def enter(self, choice: Any, *, at: Any) -> Any:
        _require(choice.notice.key.connection, self.allowed)
        return self.inner.enter(choice, at=at)


class NarrowedNoticeLists(Narrowed):
    def page(self, wanted: Any, **how: Any) -> Any:
        asked = _wanted(wanted, self.allowed)
        return NoticePage([], None) if asked is None else self.inner.page(asked, **how)


class NarrowedConnections(Narrowed):
    def get(self, connection_id: str) -> Any:
        if connection_id not in self.allowed:
            raise UnknownConnection(f"no connection {connection_id!r} is applied")
        return self.inner.get(connection_id)

    def all(self) -> Any:
        return {name: one for name, one in self.inner.all().items() if name in self.allowed}

    def unusable(self) -> Any:
        return {name: one for name, one in self.inner.unusable().items() if name in self.allowed}


class NarrowedActivity(Narrowed):
    def start(self, entry: Any) -> None:
        self.inner.start(entry)

    def complete(self, entry: Any) -> None:
        self.inner.complete(entry)

    def find(self, wanted: WantedEntries, *, after: Place | None, limit: int) -> Any:
        asked = wanted.connections
        both = self.allowed if asked is None else asked & self.allowed
        if not both:
            return [], None
        return self.inner.find(replace(wanted, connections=both), after=after, limit=limit)


class NarrowedResender(Narrowed):
    def resend(self, identity: NoticeId, request: Any, *, now: Any) -> Any:
        _require(identity.key.connection, self.allowed)
        return self.inner.resend(identity, request, now=now)

    def check(self, identity: NoticeId, request: Any, *, now: Any) -> None:
        if not self._has(identity.key):
            raise CannotResend(f"no notice {identity}")
        self.inner.check(identity, request, now=now)

    def draft(self, identity: NoticeId, request: Any, *, now: Any) -> Any:
        if not self._has(identity.key):
            raise CannotResend(f"no notice {identity}")
        return self.inner.draft(identity, request, now=now)


class NarrowedActing(Narrowed):
    def for_order(self, key: OrderKey) -> Any:
        _require(key.connection, self.allowed)
        return self.inner.for_order(key)

    def forget_credentials(self) -> None:
        self.inner.forget_credentials()


class NarrowedTrackingLinks(Narrowed):
    def make(self, key: OrderKey, connection: Any, *, now: Any) -> Any:
        _require(key.connection, self.allowed)
        return self.inner.make(key, connection, now=now)

    def revoke(self, key: OrderKey, *, at: Any) -> None:
        _require(key.connection, self.allowed)
        self.inner.revoke(key, at=at)


class NarrowedQuarantine(Narrowed):
    def get(self, kept_id: Any) -> Any:
        _require(kept_id.connection, self.allowed)
        return self.inner.get(kept_id)

    def remove(self, kept_id: Any) -> None:
        _require(kept_id.connection, self.allowed)
        self.inner.remove(kept_id)

    def walk(
        self, *, connection_id: str | None = None, after: Any = None, **when: Any
    ) -> Iterator[Any]:
        names = sorted(self.allowed if connection_id is None else self._of([connection_id]))
        left = [name for name in names if after is None or name >= after.connection]
        return chain.from_iterable(
            self.inner.walk(
                connection_id=name,
                after=after if after is not None and name == after.connection else None,
                **when,
            )
            for name in left
        )


class NarrowedContacts(Narrowed):
    def get(self, connection_id: str) -> Any:
        return self.inner.get(connection_id) if self._of([connection_id]) else Contact()

    def all(self) -> Any:
        return {name: one for name, one in self.inner.all().items() if name in self.allowed}


class NarrowedPolls(Narrowed):
    def start(self, connection_id: str, request: Any) -> None:
        _require(connection_id, self.allowed)
        self.inner.start(connection_id, request)


class NarrowedSigningSecrets(Narrowed):
    def state(self, connection_id: str) -> Any:
        _require(connection_id, self.allowed)
        return self.inner.state(connection_id)

    def rotate(self, connection_id: str, **how: Any) -> Any:
        _require(connection_id, self.allowed)
        return self.inner.rotate(connection_id, **how)

    def finish(self, connection_id: str, **how: Any) -> None:
        _require(connection_id, self.allowed)
        self.inner.finish(connection_id, **how)


class NarrowedWebhookTests(Narrowed):
    def run(self, connection_id: str, **how: Any) -> Any:
        _require(connection_id, self.allowed)
        return self.inner.run(connection_id, **how)


class NarrowedCurrentOrders(Narrowed):
    def read_all(self, keys: Sequence[OrderKey]) -> Any:
        return self.inner.read_all([key for key in keys if self._has(key)])


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


class NarrowedExports(Narrowed):
    """Exports that were made for these connections alone."""

    def put(self, export: Any, **how: Any) -> Any:
        return self.inner.put(replace(export, narrowed_to=self.allowed), **how)

    def find(self, export_id: str) -> Any:
        found = self.inner.find(export_id)
        return found if found is not None and self._is_seen(found) else None

    def page(self, **how: Any) -> Any:
        found, last = self.inner.page(**how)
        return [one for one in found if self._is_seen(one)], last

    def _is_seen(self, one: Any) -> bool:
        return one.narrowed_to is not None and one.narrowed_to <= self.allowed


class NarrowedSubscriptions(Narrowed):
    """Subscriptions that name connections, and only these."""

    def _is_seen(self, one: Any) -> bool:
        return bool(one.connections) and one.connections <= self.allowed

    def _require_seen(self, one: Any) -> None:
        if not self._is_seen(one):
            raise _not_for_narrowed()

    def all(self) -> Any:
        return [one for one in self.inner.all() if self._is_seen(one)]

    def get(self, subscription_id: str) -> Any:
        found = self.inner.get(subscription_id)
        return found if found is not None and self._is_seen(found) else None

    def put(self, subscription: Any) -> None:
        self._require_seen(subscription)
        self.inner.put(subscription)

    def change(self, subscription: Any, *, instead_of: Any) -> Any:
        self._require_seen(subscription)
        self._require_seen(instead_of)
        return self.inner.change(subscription, instead_of=instead_of)

    def _require_id(self, subscription_id: str) -> None:
        if self.get(subscription_id) is None:
            raise NotFound(f"There is no subscription {subscription_id}.")

    def resume(self, subscription_id: str, *, ended: str | None) -> Any:
        self._require_id(subscription_id)
        return self.inner.resume(subscription_id, ended=ended)

    def end(self, subscription_id: str, *, reason: str) -> None:
        self._require_id(subscription_id)
        self.inner.end(subscription_id, reason=reason)

    def delete(self, subscription_id: str) -> None:
        self._require_id(subscription_id)
        self.inner.delete(subscription_id)


class NarrowedViews(Narrowed):
    """The caller's own views, and the team's views that name no other connection."""

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
            raise _not_for_narrowed()


def _wanted(wanted: Any, allowed: Allowed) -> Any:
    """The filter limited to the allowed connections; None if nothing is left."""
    both = wanted.connections & allowed if wanted.connections else allowed
    return replace(wanted, connections=both) if both else None


def _require(connection: str, allowed: Allowed) -> None:
    if connection not in allowed:
        raise NotFound(f"There is no connection {connection}.")
