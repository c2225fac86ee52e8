"""Reads what can be read of a payload: an invalid item doesn't affect the others of its order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from milepost.common.errors import BadPayload, DatedAhead
from milepost.connections.connection import Connection
from milepost.orders.report import Report, refuse_future
from milepost.providers.base import Json, OrderNamed, Provider

MOST_ITEMS: Final = 500
"""Maximum number of items of one order: as many as fit the time that a poll reserves for one
order."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An order or webhook, or an item of one, that can't be read, and why."""

    order: Json
    reason: BadPayload

    @property
    def is_only_ahead(self) -> bool:
        """Whether it can be read later, since only its date in the future is invalid now."""
        return isinstance(self.reason, DatedAhead)


@dataclass(frozen=True, slots=True)
class ReadOrder:
    """The reports of an order, and those of its items that can't be read."""

    reports: list[Report]
    unreadable: list[Unreadable]


def read_order(
    provider: Provider,
    order: Json,
    *,
    connection: Connection,
    requested_at: datetime,
    judged_at: datetime | None = None,
) -> ReadOrder:
    """Read one order of a page; if an item is invalid, read the other items anyway.

    :param judged_at: a report dated more than 5 minutes later is refused; the default is the time
        of the request
    """
    return _read_parts(
        order,
        lambda one: provider.read_order(one, connection=connection, requested_at=requested_at),
        split=provider.split_order,
        judged_at=judged_at or requested_at,
    )


def read_event(
    provider: Provider,
    event: Json,
    *,
    connection: Connection,
    seen_at: datetime,
    judged_at: datetime,
) -> ReadOrder:
    """Read a webhook; if an item of its order is invalid, read the other items anyway.

    :param judged_at: a report dated more than 5 minutes later is refused
    :raises OrderNamed: when it only names the order to fetch
    """
    return _read_parts(
        event,
        lambda one: provider.read_event(one, connection=connection, seen_at=seen_at),
        split=provider.split_event,
        judged_at=judged_at,
    )


def _read_parts(
    payload: Json,
    read: Callable[[Json], list[Report]],
    *,
    split: Callable[[Json], list[Json]],
    judged_at: datetime,
) -> ReadOrder:
    try:
        return ReadOrder(_read(payload, read, judged_at), [])
    except OrderNamed:
        raise
    except BadPayload as error:
        parts = split(payload)
        if not 2 <= len(parts) <= MOST_ITEMS:
            return ReadOrder([], [Unreadable(payload, _without_frames(error))])
    found = ReadOrder([], [])
    for part in parts:
        try:
            found.reports.extend(_read(part, read, judged_at))
        except BadPayload as error:
            found.unreadable.append(Unreadable(part, _without_frames(error)))
    return found


def _read(payload: Json, read: Callable[[Json], list[Report]], judged_at: datetime) -> list[Report]:
    """:raises BadPayload: for whatever the adapter raises, since a retry would raise it as well"""
    try:
        reports = read(payload)
    except (BadPayload, MemoryError):
        raise
    except Exception as error:
        # Its message may quote the payload.
        raise BadPayload(f"could not be read: {type(error).__name__}") from None
    if len(reports) > MOST_ITEMS:
        raise BadPayload(f"more than {MOST_ITEMS} items in one order")
    refuse_future(reports, now=judged_at)
    return reports


def _without_frames(error: BadPayload) -> BadPayload:
    """The error without its traceback, whose frames would keep the whole order in memory."""
    error.__traceback__ = error.__context__ = None
    return error
