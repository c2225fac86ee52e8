"""Lambda's Runtime API, as far as a runtime client needs it to process events one at a time.

Source: Lambda developer guide, "Using the Lambda runtime API for custom runtimes", 2018-06-01.
"""

import json
import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from uuid import uuid4

_ROOT: Final = "/2018-06-01/runtime/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one event, or of the function's start.

    :param answer: what it answered; None where it failed
    :param error: ``errorType``, ``errorMessage`` and ``stackTrace``, if it failed
    :param during_init: it failed at its start, before any event
    """

    answer: Any = None
    error: Mapping[str, Any] | None = None
    during_init: bool = False


class RuntimeApi:
    """A server on the loopback interface that passes events to a function and receives the
    results.
    """

    def __init__(self, *, function_arn: str, timeout_seconds: float) -> None:
        """
        :param timeout_seconds: the function's timeout, from which its deadline follows
        """
        self._arn, self._timeout = function_arn, timeout_seconds
        self._events: queue.Queue[bytes | None] = queue.Queue()
        self._outcomes: queue.Queue[Outcome] = queue.Queue()
        handler = type("Handler", (_Handler,), {"api": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """The value of AWS_LAMBDA_RUNTIME_API: host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def hand_out(self, event: bytes) -> None:
        """Give the function an event at its next request."""
        self._events.put(event)

    def outcome(self, *, seconds: float) -> Outcome:
        """The result of the oldest event that has not been returned yet.

        :raises queue.Empty: when the function has not said so in time
        """
        return self._outcomes.get(timeout=seconds)

    def close(self) -> None:
        self._events.put(None)
        self._server.shutdown()
        self._server.server_close()

    def next_event(self) -> tuple[Mapping[str, str], bytes] | None:
        """Headers and body of the next invocation; None if there will be no more."""
        event = self._events.get()
        if event is None:
            return None
        headers = {
            "Lambda-Runtime-Aws-Request-Id": str(uuid4()),
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + self._timeout) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self._arn,
            "Lambda-Runtime-Trace-Id": "Root=1-67a00000-000000000000000000000000;Sampled=0",
            "Content-Type": "application/json",
        }
        return headers, event

    def take(self, outcome: Outcome) -> None:
        self._outcomes.put(outcome)


class _Handler(BaseHTTPRequestHandler):
    api: RuntimeApi
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path != f"{_ROOT}invocation/next":
            self._answer(404)
        elif (invocation := self.api.next_event()) is not None:
            self._answer(200, *invocation)
        else:
            self.close_connection = True

    def do_POST(self) -> None:
        content = self._read_body()
        what = self.path.removeprefix(_ROOT)
        if what == "init/error":
            self.api.take(Outcome(error=content, during_init=True))
        elif what.endswith("/response"):
            self.api.take(Outcome(answer=content))
        elif what.endswith("/error"):
            self.api.take(Outcome(error=content))
        else:
            return self._answer(404)
        return self._answer(202, {"Content-Type": "application/json"}, b'{"status":"OK"}')

    def _read_body(self) -> Any:
        if self.headers.get("Transfer-Encoding") == "chunked":
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            body = b"".join(chunks)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return json.loads(body or b"null")

    def _answer(
        self, status: int, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""
