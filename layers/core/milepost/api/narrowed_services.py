"""All other services for a role that is limited to connections."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

from milepost.activity.entry import Place
from milepost.activity.entry import Wanted as WantedEntries
from milepost.api.narrowed_service import Narrowed, limited, not_for_narrowed, require_connection
from milepost.api.problems import NotFound
from milepost.connections.connection import UnknownConnection
from milepost.connections.health import Contact
from milepost.notifications.notice import NoticeId
from milepost.notifications.notice_list import NoticePage
from milepost.notifications.resend import CannotResend
from milepost.orders.order import OrderKey


class NarrowedNotices(Narrowed):
    def of_order(self, key: OrderKey) -> Any:
        return self.inner.of_order(key) if self._has(key) else []

    def find(self, identity: NoticeId) -> Any:
        return self.inner.find(identity) if self._has(identity.key) else None

    def enter(self, choice: Any, *, at: Any) -> Any:
        require_connection(choice.notice.key.connection, self.allowed)
        return self.inner.enter(choice, at=at)


class NarrowedNoticeLists(Narrowed):
    def page(self, wanted: Any, **how: Any) -> Any:
        asked = limited(wanted, self.allowed)
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
        require_connection(identity.key.connection, self.allowed)
        return self.inner.resend(identity, request, now=now)

    def check(self, identity: NoticeId, request: Any, *, now: Any) -> None:
        if not self._has(identity.key):
            raise CannotResend(f"no notice {identity}")
        self.inner.check(identity, request, now=now)

    def draft(self, identity: NoticeId, request: Any, *, now: Any) -> Any:
        if not self._has(identity.key):
            raise CannotResend(f"no notice {identity}")
        return self.inner.draft(identity, request, now=now)


class NarrowedQuarantine(Narrowed):
    def get(self, kept_id: Any) -> Any:
        require_connection(kept_id.connection, self.allowed)
        return self.inner.get(kept_id)

    def remove(self, kept_id: Any) -> None:
        require_connection(kept_id.connection, self.allowed)
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
        require_connection(connection_id, self.allowed)
        self.inner.start(connection_id, request)


class NarrowedSigningSecrets(Narrowed):
    def state(self, connection_id: str) -> Any:
        require_connection(connection_id, self.allowed)
        return self.inner.state(connection_id)

    def rotate(self, connection_id: str, **how: Any) -> Any:
        require_connection(connection_id, self.allowed)
        return self.inner.rotate(connection_id, **how)

    def finish(self, connection_id: str, **how: Any) -> None:
        require_connection(connection_id, self.allowed)
        self.inner.finish(connection_id, **how)


class NarrowedWebhookTests(Narrowed):
    def run(self, connection_id: str, **how: Any) -> Any:
        require_connection(connection_id, self.allowed)
        return self.inner.run(connection_id, **how)


class NarrowedExports(Narrowed):
    """Exports that were made only for these connections."""

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
    """Subscriptions that name connections, and only these connections."""

    def _is_seen(self, one: Any) -> bool:
        return bool(one.connections) and one.connections <= self.allowed

    def _require_seen(self, one: Any) -> None:
        if not self._is_seen(one):
            raise not_for_narrowed()

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
