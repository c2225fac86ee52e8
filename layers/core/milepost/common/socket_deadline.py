"""A total deadline for a socket exchange: the socket is closed when the time is up.

Socket timeouts apply to each single read: a peer that sends one byte now and then, of a header or
of a body, would block the exchange for ever.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final


class Line:
    """The socket of an exchange, once there is one; another thread can close it at any time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self.is_cut = False

    def hold(self, line: socket.socket) -> None:
        """Keep a second handle of the socket: TLS hides the first one, and a pool may close it."""
        with self._lock:
            self._close()
            self._handle = socket.fromfd(line.fileno(), line.family, line.type)
            is_cut = self.is_cut
        if is_cut:
            self.cut()

    def cut(self) -> None:
        """Close the socket, now or as soon as there is one; its reader gets an error."""
        with self._lock:
            self.is_cut = True
            if self._handle is not None:
                # The peer may have closed it already.
                with suppress(OSError):
                    self._handle.shutdown(socket.SHUT_RDWR)
            self._close()

    def let_go(self) -> None:
        """Release this handle; other handles of the socket stay open."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._handle is not None:
            self._handle.close()
        self._handle = None


class Lines:
    """Sockets with a deadline, and the single thread that closes them, which only runs when
    needed."""

    def __init__(self) -> None:
        self._changed: Final = threading.Condition()
        self._due: dict[Line, float] = {}
        self._looks_at: float | None = None
        """When the thread checks next; None if there is no thread."""

    @contextmanager
    def open(self, seconds: float) -> Iterator[Line]:
        """A socket that is closed after this many seconds, unless the exchange ends earlier."""
        line, due = Line(), time.monotonic() + seconds
        with self._changed:
            self._due[line] = due
            if self._looks_at is None:
                self._looks_at = due
                threading.Thread(target=self._watch, daemon=True).start()
            elif due < self._looks_at:
                self._looks_at = due
                self._changed.notify()
        try:
            yield line
        finally:
            with self._changed:
                self._due.pop(line, None)
            line.let_go()

    def _watch(self) -> None:
        with self._changed:
            while self._looks_at is not None:
                self._changed.wait(self._looks_at - time.monotonic())
                now = time.monotonic()
                for line in [line for line, due in self._due.items() if due <= now]:
                    del self._due[line]
                    line.cut()
                self._looks_at = min(self._due.values(), default=None)
