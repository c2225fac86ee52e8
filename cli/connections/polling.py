"""A poll out of turn, and waiting until it is over."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cli.api import OrdersApi
from cli.faults import CannotDo

_LOOK_EVERY: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedPoll:
    """A poll that is on its way; ``told`` is what the API said to it."""

    api: OrdersApi
    connection: str
    before: Mapping[str, Any]
    told: Mapping[str, Any]

    def wait(self, seconds: float) -> Mapping[str, Any]:
        """The connection once the poll is over.

        :raises CannotDo: when it isn't in so many seconds, or the provider asked us to wait
        """
        deadline = time.monotonic() + seconds
        while True:
            found: Mapping[str, Any] = self.api.get(f"/connections/{self.connection}")
            if _outcome(found["health"]) != _outcome(self.before):
                return found
            if time.monotonic() >= deadline:
                raise CannotDo(_why_not_over(self.connection, found["health"], seconds))
            time.sleep(min(_LOOK_EVERY, seconds))


def start_poll(api: OrdersApi, connection: str, *, again: Mapping[str, Any] | None) -> StartedPoll:
    """Have a connection polled.

    :param again: to read once more what changed ``since``, and whether to ``announce`` it
    """
    before = api.get(f"/connections/{connection}")["health"]
    told = api.post(f"/connections/{connection}/poll", again)
    return StartedPoll(api=api, connection=connection, before=before, told=told)


def _outcome(health: Mapping[str, Any]) -> tuple[Any, ...]:
    names = ("last_success_at", "last_failure_at", "failures", "is_paused")
    return tuple(health[name] for name in names)


def _why_not_over(connection: str, health: Mapping[str, Any], seconds: float) -> str:
    if health["not_before"]:
        return f"{connection} is not polled: its provider asked us to wait until then: " + str(
            health["not_before"]
        )
    state = "is still at work" if health["is_polled_now"] else "has not ended"
    return f"The poll of {connection} {state} after {seconds:.0f} s: see `connections list`."
