"""The changes that an apply would make, field by field. Never contains secrets."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, replace
from datetime import time
from enum import StrEnum
from typing import Any, Final

from cli.connections.desired_state import Wanted, WantedConnection
from cli.connections.schedules import Schedule, describe_expression
from cli.connections.stored_state import Stored
from cli.output import without_query
from milepost.connections.connection import Connection
from milepost.notifications.endpoints.secret_rotation import current_secret
from milepost.notifications.notice import CHATS, Channel
from milepost.notifications.subscription import FROM_FILE, QuietHours, Subscription

_NOT_SHOWN: Final = frozenset({"id", "recipient", "source", "ended", "channel"})


class Change(StrEnum):
    """The kind of change of a connection or subscription."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after, as text for people; None if there is no value."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionChange:
    """The change of one connection."""

    id: str
    change: Change
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionChange:
    """The change of one subscription."""

    id: str
    recipient: str
    change: Change
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """All changes that applying would make; ``left_alone`` lists what the file doesn't name."""

    connections: tuple[ConnectionChange, ...]
    subscriptions: tuple[SubscriptionChange, ...]
    left_alone: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return not self.connections and not self.subscriptions


IsKept = Callable[[str, Schedule, Mapping[str, Any]], bool]
"""Whether a stored schedule is what would be written (``PollSchedules.is_kept``)."""


def compare(wanted: Wanted, stored: Stored, *, prune: bool, is_kept: IsKept) -> Difference:
    """The changes that bring the stack to the state in the file."""
    missing = sorted(stored.ids - wanted.connections.keys())
    unsubscribed = list(_subscriptions_not_in_file(wanted, stored))
    changes = [
        *_connection_changes(wanted, stored, is_kept),
        *(ConnectionChange(id=one, change=Change.REMOVED) for one in missing if prune),
    ]
    return Difference(
        connections=tuple(changes),
        subscriptions=(
            *_subscription_changes(wanted, stored),
            *(unsubscribed if prune else ()),
        ),
        left_alone=()
        if prune
        else (*missing, *(f"the subscription of {one.recipient}" for one in unsubscribed)),
    )


def _connection_changes(
    wanted: Wanted, stored: Stored, is_kept: IsKept
) -> Iterator[ConnectionChange]:
    for name, connection in wanted.connections.items():
        there = stored.settings.get(name)
        polls = tuple(_poll_change(connection, stored, is_kept))
        settings = changed_fields(there, connection.settings)
        changed = (
            *(one for one in settings if not (polls and one.field == "poll_minutes")),
            *polls,
            *_signing_change(connection, stored),
            *_credentials_change(connection, stored),
            *_texts_change(connection, stored),
        )
        if changed:
            change = Change.CHANGED if there else Change.ADDED
            yield ConnectionChange(id=name, change=change, fields=changed)


def _poll_change(
    wanted: WantedConnection, stored: Stored, is_kept: IsKept
) -> Iterator[FieldChange]:
    there = stored.schedules.get(wanted.id)
    after = str(wanted.schedule or "off")
    if there is None:
        if wanted.schedule is not None:
            yield FieldChange("poll", None, after)
        return
    before = describe_expression(there["ScheduleExpression"], state=there["State"])
    if wanted.schedule is None or not is_kept(wanted.id, wanted.schedule, there):
        yield FieldChange("poll", f"{before} (set otherwise)" if before == after else before, after)


def _signing_change(wanted: WantedConnection, stored: Stored) -> Iterator[FieldChange]:
    there, given = stored.signing.get(wanted.id), wanted.secrets.signing
    if wanted.scheme is None:
        if there is not None:
            yield FieldChange("webhooks", "on", "off")
        return
    active = stored.signing_secrets(wanted.id)
    if not active:
        yield FieldChange("webhooks", None, "on")
        yield FieldChange("signing secret", None, "from the file" if given else "a new random one")
    elif given is not None and list(given) != active:
        turned_back = given[0] in active[1:]
        after = "changed, back to one from before its rotation" if turned_back else "changed"
        yield FieldChange("signing secret", "stored", after)
    elif there is not None and there.get("scheme") != wanted.scheme:
        before, after = (_in_words(one) for one in (there.get("scheme"), wanted.scheme))
        yield FieldChange("signing scheme", before, after)


def _in_words(scheme: Any) -> str:
    return scheme if isinstance(scheme, str) else json.dumps(scheme, sort_keys=True)


def _credentials_change(wanted: WantedConnection, stored: Stored) -> Iterator[FieldChange]:
    there = stored.credentials.get(wanted.id, {})
    for name, value in wanted.secrets.credentials.items():
        if there.get(name) != value:
            before, after = ("stored", "changed") if name in there else (None, "stored")
            yield FieldChange(f"credentials.{name}", before, after)


def _texts_change(wanted: WantedConnection, stored: Stored) -> Iterator[FieldChange]:
    there = stored.texts.get(wanted.id, {})
    for place in sorted(there.keys() | wanted.texts.keys()):
        before, after = there.get(place), wanted.texts.get(place)
        if before != after:
            field = ".".join(("templates", *place))
            words = "changed" if before and after else "stored"
            yield FieldChange(field, "stored" if before else None, words if after else None)


def _subscription_changes(wanted: Wanted, stored: Stored) -> Iterator[SubscriptionChange]:
    for name, subscription in wanted.subscriptions.items():
        there = stored.subscriptions.get(name)
        # One that its recipient ended stays ended, whatever the file says.
        is_kept = there is not None and replace(there, ended=None) == subscription
        changed = (
            *(() if is_kept else changed_fields(there, subscription)),
            *_endpoint_secret_change(subscription, wanted, stored),
        )
        if changed or not is_kept:
            yield SubscriptionChange(
                id=name,
                recipient=without_query(subscription.recipient),
                change=Change.CHANGED if there else Change.ADDED,
                fields=changed,
            )


def _subscriptions_not_in_file(wanted: Wanted, stored: Stored) -> Iterator[SubscriptionChange]:
    """The subscriptions that came from a file; subscriptions that people created themselves aren't
    removed.
    """
    for name, there in stored.subscriptions.items():
        if there.source == FROM_FILE and name not in wanted.subscriptions:
            yield SubscriptionChange(
                id=name, recipient=without_query(there.recipient), change=Change.REMOVED
            )


def _endpoint_secret_change(
    subscription: Subscription, wanted: Wanted, stored: Stored
) -> Iterator[FieldChange]:
    if subscription.channel is Channel.EMAIL:
        return
    there = current_secret(stored.endpoint_secrets.get(subscription.id))
    given = wanted.endpoint_secrets.get(subscription.id)
    if subscription.channel in CHATS:
        if there != given:
            yield FieldChange("address", "stored" if there else None, "from the file")
    elif there is None:
        yield FieldChange("secret", None, "from the file" if given else "a new random one")
    elif given not in (None, there):
        yield FieldChange("secret", "stored", "changed")


def changed_fields(
    before: Connection | Subscription | None, after: Connection | Subscription
) -> tuple[FieldChange, ...]:
    """The fields that differ; for a new one, the fields that differ from the defaults."""
    found = []
    for one in fields(after):
        new = getattr(after, one.name)
        old = getattr(before, one.name) if before else _usual(one)
        if one.compare and one.name not in _NOT_SHOWN and old != new:
            found.append(FieldChange(one.name, in_words(old) if before else None, in_words(new)))
    return tuple(found)


def _usual(one: Field[Any]) -> Any:
    return one.default if one.default_factory is MISSING else one.default_factory()


def _list_in_words(several: frozenset[str] | tuple[Any, ...]) -> str:
    if isinstance(several, frozenset):
        return ", ".join(sorted(several))
    return "; ".join(map(str, several))


def in_words(value: Any) -> str | None:
    """A setting as text for people; None if it is empty."""
    match value:
        case None:
            return None
        case time():
            return f"{value:%H:%M}"
        case QuietHours():
            passing = f" but {', '.join(sorted(value.passing))}" if value.passing else ""
            return f"{value.start:%H:%M} to {value.end:%H:%M}{passing}"
        case Mapping():
            return ", ".join(f"{key}: {one}" for key, one in sorted(value.items())) or None
        case frozenset() | tuple():
            return _list_in_words(value) or None
        case _:
            return str(value)
