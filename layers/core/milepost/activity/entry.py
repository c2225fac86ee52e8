"""An entry of the activity log: one change that a person or a token made, or tried to make.

An entry holds ids, never a customer's name, address, email or phone, nor free text. So an erasure
has nothing to remove from it.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from milepost.common.timestamps import whole_milliseconds

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MOST_ARGUMENTS: Final = 30


class Via(StrEnum):
    """The interface by which the change was made."""

    API = "api"
    COMMAND = "command"
    CONSOLE = "console"


class Outcome(StrEnum):
    """The outcome of a change."""

    STARTED = "started"
    """The change began, but its end was not recorded: it may have been made completely or in
    part."""
    DONE = "done"
    REFUSED = "refused"
    """Nothing was changed."""
    FAILED = "failed"
    """It ended with an error of Milepost or the provider: part of it may have been made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The person or token: ``person`` is a user name or the identity at AWS, ``subject`` the
    token's ``sub``.
    """

    person: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change.

    :param at: when it began
    :param kind: what was done: the ``operation_id`` of the route, or the command's name
    :param address: the IP address that the request came from, where it is known
    :param targets: the ids that it is about, by kind, such as ``{"order": "a:b:c"}``
    :param connections: the connections of these; empty if there are none
    :param arguments: the arguments: values of switches, and only the names of others
    :param status: the HTTP status of the response
    """

    id: str
    at: datetime
    actor: Actor
    kind: str
    via: Via
    outcome: Outcome = Outcome.STARTED
    address: str | None = None
    status: int | None = None
    targets: Mapping[str, str] = field(default_factory=dict)
    connections: frozenset[str] = frozenset()
    arguments: Mapping[str, bool | None] = field(default_factory=dict)
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None

    @property
    def order(self) -> str | None:
        """The order of the change, if it is about one."""
        return self.targets.get("order")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Filters of entries; an entry has to match all of them.

    :param connections: only entries of these connections; None for every entry
    """

    person: str | None = None
    order: str | None = None
    kind: str | None = None
    outcome: Outcome | None = None
    connections: frozenset[str] | None = None
    first_day: date
    last_day: date

    def matches(self, entry: Entry) -> bool:
        """Whether an entry matches."""
        return (
            self.person in (None, entry.actor.person)
            and self.order in (None, entry.order)
            and self.kind in (None, entry.kind)
            and self.outcome in (None, entry.outcome)
            and self.first_day <= entry.at.date() <= self.last_day
            and (
                self.connections is None
                or (bool(entry.connections) and entry.connections <= self.connections)
            )
        )


@dataclass(frozen=True, slots=True)
class Place:
    """The end of a page: the entry after which the next page continues."""

    at: datetime
    id: str


def started(now: datetime) -> datetime:
    """The instant of an entry, with the precision in which it is stored."""
    return whole_milliseconds(now)


def hash_of(text: str) -> str:
    """The hash that an entry has in place of an id that may name a person."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def kept_arguments(given: Mapping[str, Any]) -> dict[str, bool | None]:
    """The arguments of a request in the form of an entry: switches with their values, others only
    by name."""
    named = [name for name in sorted(given) if _NAME.fullmatch(name)]
    return {name: _switch(given[name]) for name in named[:_MOST_ARGUMENTS]}


def _switch(value: object) -> bool | None:
    if value in (True, "true"):
        return True
    return False if value in (False, "false") else None
