"""The lock on the declaration: one person applies at a time, and only reviewed changes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from cli.connections.stored_state import Stores
from cli.errors import CannotDo
from milepost.connections.aws.declarations import BeingChanged, ChangedSinceRead

StillOurs = Callable[[], None]
"""Called between two steps of a change; raises ``ChangedSinceCompared`` when somebody else has
begun to change the declaration."""

_MINUTE: Final = len("2026-01-01T00:00")


class ChangedSinceCompared(CannotDo):
    """The stack was changed after it was compared with the file."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} changed since the comparison: run apply again. It "
            "shows the present differences, and asks before it changes "
            "anything."
        )


class BeingApplied(CannotDo):
    """Another person is changing the connections now."""

    def __init__(self, until: str) -> None:
        super().__init__(
            "Somebody else is changing the connections of this stack: try "
            "again in a minute. If they were interrupted, it is possible again "
            f"from {until[:_MINUTE]}Z on."
        )


@contextmanager
def changing(stores: Stores, *, compared: str | None) -> Iterator[StillOurs]:
    """Change the declaration, if it is still the version that was compared.

    :raises ChangedSinceCompared: when it is another one by now
    :raises BeingApplied: when somebody else is changing it now
    """
    try:
        token = stores.declarations.take(read=compared, now=datetime.now(UTC))
    except ChangedSinceRead as changed:
        raise _changed(changed) from None
    except BeingChanged as being:
        raise BeingApplied(being.until) from None

    def renew() -> None:
        try:
            stores.declarations.renew(token, now=datetime.now(UTC))
        except ChangedSinceRead as changed:
            raise _changed(changed) from None

    try:
        yield renew
    finally:
        stores.declarations.give_back(token, now=datetime.now(UTC))


def _changed(changed: ChangedSinceRead) -> ChangedSinceCompared:
    at = f" (at {changed.at[:_MINUTE]}Z)" if changed.at else ""
    return ChangedSinceCompared(f"The stored settings{at}")
