"""Records changes: an entry is written before a change, and completed after it.

A change that can't be recorded is not made, so there is no change without an entry. Its outcome
replaces the entry when it is known. If that fails, the change has still been made: its entry says
``started``, and the failure is reported (decision 36).
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
    """Stores entries. They can't be deleted, and completed ones can't be changed."""

    def start(self, entry: Entry) -> None:
        """Store a new entry."""
        ...

    def complete(self, entry: Entry) -> None:
        """Store the outcome of a change, replacing the started entry."""
        ...


class NotRecorded(Exception):
    """The change can't be recorded, so it was not made."""


@dataclass(slots=True, kw_only=True)
class Change:
    """A change in progress. Its targets and values are added here.

    Only ids and settings are allowed: no data that identifies a customer, and no free text.
    """

    targets: dict[str, str] = field(default_factory=dict)
    connections: set[str] = field(default_factory=set)
    arguments: dict[str, bool | None] = field(default_factory=dict)
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None

    def concerns(self, *, connection: str | None = None, **ids: str) -> None:
        """Add targets of the change.

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
        """Add changed settings, before and after; unchanged ones are left out."""
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
        """Record that a change begins.

        :raises NotRecorded: when it can't be recorded; the change must not be made
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
        """Record its outcome; this never fails, since the change has been made."""
        is_refused = outcome is Outcome.REFUSED
        completed = replace(
            entry,
            outcome=outcome,
            status=status,
            targets=dict(change.targets),
            connections=frozenset(change.connections),
            # A refused request may contain any text.
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
        """Record the changes in a block, for callers that use the services without the API's
        routes.

        :param refusals: errors after which nothing was changed
        :raises NotRecorded: when it can't be recorded; nothing was done then
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
    """The outcome of a change, from its HTTP status."""
    if status >= _SERVER_ERROR:
        return Outcome.FAILED
    return Outcome.REFUSED if status >= _REFUSED else Outcome.DONE
