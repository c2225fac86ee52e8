"""A total deadline for a socket exchange: the socket is closed when the time is up.

Timeouts of sockets are for each read alone: somebody who sends a byte now and then, of a header or
of a body, would keep us for ever.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final


class Line:
    """What an exchange goes over, once it does; it can be cut by another thread at any time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self.is_cut = False

    def hold(self, line: socket.socket) -> None:
        """Keep a second handle of it: TLS hides the first one, and a pool may close it."""
        with self._lock:
            self._close()
            self._handle = socket.fromfd(line.fileno(), line.family, line.type)
            is_cut = self.is_cut
        if is_cut:
            self.cut()

    def cut(self) -> None:
        """End it, now or as soon as it is there; whoever reads from it finds it broken off."""
        with self._lock:
            self.is_cut = True
            if self._handle is not None:
                # The other side may have been quicker.
                with suppress(OSError):
                    self._handle.shutdown(socket.SHUT_RDWR)
            self._close()

    def let_go(self) -> None:
        """Leave it to whoever else has it."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._handle is not None:
            self._handle.close()
        self._handle = None


class Lines:
    """Lines with a time, and the one thread that cuts them: it is there while it is needed."""

    def __init__(self) -> None:
        self._changed: Final = threading.Condition()
        self._due: dict[Line, float] = {}
        self._looks_at: float | None = None
        """When the thread looks next; None when there is none."""

    @contextmanager
    def open(self, seconds: float) -> Iterator[Line]:
        """A line that is cut after so many seconds, unless this ends before."""
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
