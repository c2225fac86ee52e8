"""Requests a poll outside the schedule, and waits until it ends."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cli.api import OrdersApi
from cli.errors import CannotDo

REQUESTED: Final = (
    "A poll is requested. If another poll is running, the request is kept and fulfilled after it."
)
_LOOK_EVERY: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedPoll:
    """The connection after a poll for a request; the request stays stored until ``is_done``."""

    connection: Mapping[str, Any]
    is_done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedPoll:
    """A poll that was requested; ``response`` is the API's response."""

    api: OrdersApi
    connection: str
    response: Mapping[str, Any]

    def wait(self, seconds: float) -> EndedPoll:
        """The outcome of the poll that fulfilled the request, or that failed.

        :raises CannotDo: when none has in so many seconds, or the provider asked us to wait
        """
        deadline = time.monotonic() + seconds
        while True:
            found: Mapping[str, Any] = self.api.get(f"/connections/{self.connection}")
            pending = [one for one in found["requests"] if one["id"] == self.response["request"]]
            if not pending or pending[0]["failed_at"]:
                return EndedPoll(connection=found, is_done=not pending)
            if time.monotonic() >= deadline:
                raise CannotDo(_why_not_over(self.connection, found["health"], seconds))
            time.sleep(min(_LOOK_EVERY, seconds))


def start_poll(api: OrdersApi, connection: str, *, again: Mapping[str, Any] | None) -> StartedPoll:
    """Request a poll of a connection.

    :param again: to read once more what changed ``since``, and whether to ``announce`` it
    """
    response = api.post(f"/connections/{connection}/poll", again)
    return StartedPoll(api=api, connection=connection, response=response)


def _why_not_over(connection: str, health: Mapping[str, Any], seconds: float) -> str:
    if health["not_before"]:
        return (
            f"{connection} is not polled yet: its provider asked us to wait "
            f"until {health['not_before']}. The request is kept: the next poll "
            "after that fulfils it."
        )
    if health["is_polled_now"]:
        state = "a poll is running"
    elif health["is_paused"]:
        state = "a poll is paused, and the next one continues where it stopped"
    else:
        state = "no poll is running"
    return (
        f"The request was not fulfilled within {seconds:.0f} s ({state}). It is "
        f"kept: the next poll of {connection} fulfils it."
    )
