"""Records changes: an entry is written before a change, and completed after it.

The entry is written first. A change that can't be noted is not made, so there is none without its
entry. What becomes of it is written over the same entry once it is known. When that fails the
change stands: its entry says ``started``, and the failure is reported (decision 36).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import uuid4

from milepost.activity.entry import Actor, Entry, Outcome, Via, started

_SERVER_ERROR = 500
_REFUSED = 400


class EntryWriter(Protocol):
    """Where entries are kept. None can be deleted, and a completed one not be changed."""

    def start(self, entry: Entry) -> None:
        """Keep a new entry."""
        ...

    def complete(self, entry: Entry) -> None:
        """Keep its outcome, in place of the entry that was started."""
        ...


class NotRecorded(Exception):
    """The change can't be noted, so it was not made."""


@dataclass(slots=True, kw_only=True)
class Change:
    """What is known of a change while it is made. Say here what it concerns and what it changed.

    Only ids and settings belong here: never what identifies a customer, and no free text.
    """

    targets: dict[str, str] = field(default_factory=dict)
    connections: set[str] = field(default_factory=set)
    arguments: dict[str, bool | None] = field(default_factory=dict)
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None

    def concerns(self, *, connection: str | None = None, **ids: str) -> None:
        """Add what it is about.

        :param connection: the connection that this belongs to
        :param ids: ids by kind of thing, such as ``order="a:b:c"``
        """
        self.targets.update(ids)
        if connection is not None:
            self.connections.add(connection)
            self.targets["connection"] = connection

    def changed(
        self, *, before: Mapping[str, Any] | None = None, after: Mapping[str, Any] | None = None
    ) -> None:
        """What was changed: settings as they were, and as they are now; only those that differ."""
        old, new = before or {}, after or {}
        same = {name for name in old if name in new and old[name] == new[name]}
        self.before = {name: value for name, value in old.items() if name not in same}
        self.after = {name: value for name, value in new.items() if name not in same}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Records changes in one log.

    :param not_completed: called when an entry could not be completed, with the error
    """

    log: EntryWriter
    clock: Callable[[], datetime]
    not_completed: Callable[[Exception], None]

    def begin(
        self, change: Change, *, kind: str, actor: Actor, via: Via, address: str | None = None
    ) -> Entry:
        """Note that a change is begun.

        :raises NotRecorded: when it can't be noted; don't make it
        """
        entry = Entry(
            id=uuid4().hex,
            at=started(self.clock()),
            actor=actor,
            kind=kind,
            via=via,
            address=address,
            targets=dict(change.targets),
            connections=frozenset(change.connections),
        )
        try:
            self.log.start(entry)
        except Exception as error:
            raise NotRecorded from error
        return entry

    def end(
        self, entry: Entry, change: Change, *, outcome: Outcome, status: int | None = None
    ) -> None:
        """Note its outcome; it never fails, since the change is made."""
        is_refused = outcome is Outcome.REFUSED
        completed = replace(
            entry,
            outcome=outcome,
            status=status,
            targets=dict(change.targets),
            connections=frozenset(change.connections),
            # What was refused may be anything that somebody typed.
            arguments={} if is_refused else dict(change.arguments),
            before=None if is_refused else change.before,
            after=None if is_refused else change.after,
        )
        try:
            self.log.complete(completed)
        except Exception as error:
            self.not_completed(error)

    @contextmanager
    def recording(
        self,
        *,
        kind: str,
        actor: Actor,
        via: Via,
        address: str | None = None,
        refusals: tuple[type[Exception], ...] = (),
        **ids: str,
    ) -> Iterator[Change]:
        """Record what is done within: for whoever calls the services without the API's routes.

        :param refusals: errors after which nothing was changed
        :raises NotRecorded: when it can't be noted; nothing was done then
        """
        change = Change()
        change.concerns(**ids)
        entry = self.begin(change, kind=kind, actor=actor, via=via, address=address)
        try:
            yield change
        except refusals:
            self.end(entry, change, outcome=Outcome.REFUSED)
            raise
        except BaseException:
            self.end(entry, change, outcome=Outcome.FAILED)
            raise
        self.end(entry, change, outcome=Outcome.DONE)


def outcome_of(status: int) -> Outcome:
    """What an HTTP status says of a change."""
    if status >= _SERVER_ERROR:
        return Outcome.FAILED
    return Outcome.REFUSED if status >= _REFUSED else Outcome.DONE
