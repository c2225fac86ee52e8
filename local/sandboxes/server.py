"""The HTTP server of all sandbox accounts."""

import sys
from collections import deque
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import TracebackType
from typing import Any, ClassVar, Final, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from local.sandboxes.account import Account
from local.sandboxes.clock import Clock
from local.sandboxes.control_api import ControlApi
from local.sandboxes.declared import Declared
from local.sandboxes.demo_scenarios import ENOUGH_ORDERS
from local.sandboxes.json_format import Json
from local.sandboxes.offergrid import Offergrid
from local.sandboxes.rabot import Rabot
from local.sandboxes.request import Answer, Request
from local.sandboxes.responding import Reply, respond
from local.sandboxes.settings import Connection, default_connections
from local.sandboxes.spirii import Spirii
from local.sandboxes.subs import Subs
from local.sandboxes.webhook_outbox import Outbox

ACCOUNTS: Final[Mapping[str, type[Account]]] = {
    "offergrid": Offergrid,
    "rabot": Rabot,
    "subs": Subs,
    "spirii": Spirii,
}
_HOST: Final = "127.0.0.1"
_LONGEST_BODY: Final = 64 * 1024 * 1024
_TICK_SECONDS: Final = 0.2
# How long a stop may have to wait.
_POLL_SECONDS: Final = 0.05


class Sandboxes:
    """All accounts on one port of this machine.

    ``with Sandboxes([...]) as sandboxes: sandboxes.url("offergrid-home")``. Without connections
    there are the local stack's five. Port 0 takes a free one. Without a clock they have their own.
    """

    def __init__(
        self,
        connections: Sequence[Connection] | None = None,
        *,
        port: int = 0,
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self._outbox = Outbox(self.clock)
        chosen = default_connections() if connections is None else connections
        self.accounts: dict[str, Account] = {
            connection.id: _account_of(connection)(
                connection=connection, clock=self.clock, outbox=self._outbox
            )
            for connection in chosen
        }
        self._steering = {id: ControlApi(account) for id, account in self.accounts.items()}
        self._strays: deque[Json] = deque(maxlen=1_000)
        self._stopped = Event()
        self._again_in: float | None = None
        self._seed = 0
        self._threads: list[Thread] = []
        self._server = _Server((_HOST, port), _Handler, bind_and_activate=True)
        self._server.sandboxes = self
        self.port = int(self._server.server_address[1])

    def start(self) -> Self:
        """Serves in the background until ``stop``."""
        self._outbox.start()
        for target in (self._serve, self._keep_time):
            thread = Thread(target=target, name=f"sandbox-{target.__name__}", daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def stop(self) -> None:
        """Ends demos, deliveries and the server, and frees the port."""
        self._stopped.set()
        self._again_in = None
        for steering in self._steering.values():
            steering.stop_demo()
        self._server.shutdown()
        self._server.server_close()
        self._outbox.stop()
        for thread in self._threads:
            thread.join(timeout=5)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def url(self, connection: str) -> str:
        """The base URL of one connection, for both the provider's API and ``/_sandbox``."""
        return f"http://{_HOST}:{self.port}/{connection}"

    @property
    def elsewhere(self) -> str:
        """A URL on another host, which records the requests that it gets (``GET /_elsewhere``)."""
        return f"http://localhost:{self.port}/_elsewhere/orders"

    def start_demo(
        self,
        *,
        orders: int = ENOUGH_ORDERS,
        seconds: float = 60.0,
        seed: int = 7,
        again_in: float | None = None,
    ) -> None:
        """Moves ``orders`` orders of every account through their scenarios within ``seconds``.

        :param again_in: let others follow them without an end, each time within so many seconds
        """
        self._again_in, self._seed = again_in, seed + len(self._steering)
        for number, steering in enumerate(self._steering.values()):
            steering.start_demo(orders=orders, seconds=seconds, seed=seed + number)

    def describe(self) -> Json:
        """Port and connections, in the form of the ready file and of ``GET /``."""
        connections = {id: _describe(self, account) for id, account in self.accounts.items()}
        return {"port": self.port, "elsewhere": self.elsewhere, "connections": connections}

    def respond(self, request: Request) -> Reply:
        """The response to one request to any account."""
        name, _, rest = request.path.lstrip("/").partition("/")
        if name == "_elsewhere":
            return _as_reply(self._note_stray(request, below=rest))
        if not name:
            return _as_reply(Answer(content=self.describe()))
        if name not in self.accounts:
            known = ", ".join(self.accounts)
            message = f"no connection {name} here: there are {known}"
            return _as_reply(Answer(status=404, content={"error": message}))
        inner = _below(request, f"/{rest}".rstrip("/") or "/")
        if inner.path.split("/")[1] == "_sandbox":
            return self._steering[name].respond(inner)
        return respond(self.accounts[name], inner, elsewhere=self.elsewhere)

    def _note_stray(self, request: Request, *, below: str) -> Answer:
        if not below and request.method == "GET":
            return Answer(content={"count": len(self._strays), "requests": list(self._strays)})
        if not below and request.method == "DELETE":
            self._strays.clear()
            return Answer(content={"count": 0, "requests": []})
        self._strays.append(
            {
                "method": request.method,
                "path": request.path,
                "headers": request.shown_headers(),
                "has_credentials": request.has_credentials,
            }
        )
        return Answer(content={})

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=_POLL_SECONDS)

    def _keep_time(self) -> None:
        while not self._stopped.wait(_TICK_SECONDS):
            for account in self.accounts.values():
                with account.lock:
                    account.tick()
            if self._again_in and not any(one.has_demo for one in self._steering.values()):
                self.start_demo(seconds=self._again_in, seed=self._seed, again_in=self._again_in)


def _account_of(connection: Connection) -> type[Account]:
    return Declared if connection.declared else ACCOUNTS[connection.provider]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    sandboxes: Sandboxes

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores clients that close the connection."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Sandbox"
    sys_version = ""
    # Without it the kernel holds a body back until the headers are acknowledged.
    disable_nagle_algorithm = True
    timeout: ClassVar[float] = 120.0
    server: _Server

    def _reply(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > _LONGEST_BODY:
            self.send_error(413)
            return
        url = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=unquote(url.path),
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
        )
        self._send(self.server.sandboxes.respond(request))

    def _send(self, reply: Reply) -> None:
        if reply.hang_up:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 304:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _reply  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Logs nothing to standard error; requests are in ``/_sandbox/requests``."""


def _describe(sandboxes: Sandboxes, account: Account) -> Json:
    connection = account.connection
    url = sandboxes.url(connection.id)
    described: Json = {
        "provider": connection.provider,
        "sandbox_url": url,
        "credentials": connection.credentials,
        "webhook_url": connection.webhook_url,
        "signing": {"scheme": connection.signing.scheme, "secrets": connection.signing.secrets},
    }
    if connection.provider == "rabot":
        described["token_url"] = f"{url}/connect/token"
    return described


def _below(request: Request, path: str) -> Request:
    return Request(
        method=request.method,
        path=path,
        query=request.query,
        headers=request.headers,
        body=request.body,
    )


def _as_reply(answer: Answer) -> Reply:
    headers = {"Content-Type": "application/json"}
    return Reply(status=answer.status, headers=headers, body=answer.body())
