"""The time by which every function goes, and the providers' sandboxes, in copies of a process."""

import os
import time
from datetime import datetime, timedelta, tzinfo
from threading import Thread
from typing import Any

import pytest
import urllib3.connectionpool
import urllib3.util.connection

from local.sandboxes import Sandboxes, make_connection
from local.sandboxes.clock import Clock
from local.sandboxes.server import _Handler, _Server
from tests.integration.crash_injection import start_of_a_quiet_while
from tests.integration.interleaving.command_runs import CHARGE, HOME


class Time:
    """The time of every function, which can be moved on."""

    def __init__(self) -> None:
        self.shift = timedelta(0)
        self.start = start_of_a_quiet_while()

    def now(self) -> datetime:
        return self.start + self.shift

    def install(self, patched: pytest.MonkeyPatch) -> None:
        """Let what is remembered for a while end by this time, too."""
        monotonic = time.monotonic
        patched.setattr(time, "monotonic", lambda: monotonic() + self.shift.total_seconds())

    def clock(self) -> type[datetime]:
        """A ``datetime`` that goes by this time."""
        here = self

        class Clock(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
                return here.now().astimezone(tz)

        return Clock


class ProviderClock(Clock):
    """The providers' clock shows the functions' time.

    On the machine's clock the providers would be minutes ahead of the functions once the tests have
    run for minutes, and statuses from the future are not recorded.
    """

    def __init__(self, time: Time) -> None:
        super().__init__()
        self._time = time

    def now(self) -> datetime:
        return self._time.now() + self._ahead


class Providers:
    """The sandboxes, served by whichever copy of this process asks them.

    A copy's sandboxes are a copy as well, so what is done there by one is unknown to the others.
    """

    def __init__(self, time: Time) -> None:
        accounts = [make_connection(HOME, "offergrid"), make_connection(CHARGE, "spirii")]
        self.sandboxes = Sandboxes(accounts, clock=ProviderClock(time))
        self.accounts = self.sandboxes.accounts
        self._serves, self._port = 0, 0

    def install(self, patched: pytest.MonkeyPatch) -> None:
        connect = urllib3.util.connection.create_connection

        def connect_here(address: tuple[str, int], *more: Any, **named: Any) -> Any:
            if address[1] == self.sandboxes.port:
                address = address[0], self._port_here()
            return connect(address, *more, **named)

        patched.setattr(urllib3.util.connection, "create_connection", connect_here)
        # A connection that was open before the copy was made belongs to the original.
        patched.setattr(urllib3.connectionpool, "is_connection_dropped", lambda _: True)

    def _port_here(self) -> int:
        if self._serves != os.getpid():
            server = _Server(("127.0.0.1", 0), _Handler, bind_and_activate=True)
            server.sandboxes = self.sandboxes
            Thread(target=server.serve_forever, daemon=True).start()
            self._serves, self._port = os.getpid(), int(server.server_address[1])
        return self._port
