"""Running sandboxes, a client for them, and a receiver of their webhooks."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import urllib3

from local.sandboxes import Sandboxes
from local.sandboxes.json_format import read_json, write_json

HTTP = urllib3.PoolManager(maxsize=4, retries=False)


@dataclass(slots=True)
class Client:
    """Calls one connection, as the provider's customer or to control the sandbox."""

    sandboxes: Sandboxes
    connection: str
    headers: dict[str, str] = field(default_factory=dict)

    def call(
        self, method: str, path: str, content: Any = None, **headers: str
    ) -> urllib3.BaseHTTPResponse:
        """One request; ``headers`` have underscores instead of dashes."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return HTTP.request(
            method,
            self.sandboxes.url(self.connection) + path,
            body=None if content is None else write_json(content),
            headers={**self.headers, **more},
            redirect=False,
        )

    def get(self, path: str) -> Any:
        return read_json(self.call("GET", path).data)

    def steer(self, method: str, path: str, content: Any = None) -> Any:
        answer = self.call(method, f"/_sandbox{path}", content)
        assert answer.status < 300, answer.data
        return read_json(answer.data)

    def create(self, **fields: Any) -> Any:
        return self.steer("POST", "/orders", fields)

    def move(self, id: str, **change: Any) -> Any:
        return self.steer("POST", f"/orders/{id}/move", change)


@dataclass(slots=True)
class Receiver:
    """Receives webhooks; responds with the statuses in ``answers``, then 202."""

    url: str
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def wait_for(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        wait_until(lambda: len(self.received) >= count)
        return list(self.received)


def wait_until(condition: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Waits until the condition is true; fails if it isn't in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.01)


@pytest.fixture
def sandboxes() -> Iterator[Sandboxes]:
    with Sandboxes() as running:
        yield running


@pytest.fixture
def offergrid(sandboxes: Sandboxes) -> Client:
    return _client(sandboxes, "offergrid-home", header="x-api-key", credential="api_key")


@pytest.fixture
def subs(sandboxes: Sandboxes) -> Client:
    return _client(sandboxes, "subs-grid", header="Authorization", credential="token")


@pytest.fixture
def spirii(sandboxes: Sandboxes) -> Client:
    return _client(sandboxes, "spirii-charge", header="Authorization", credential="api_key")


@pytest.fixture
def rabot(sandboxes: Sandboxes) -> Client:
    client = Client(sandboxes, "rabot-energy")
    token = ask_for_token(client)["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = taken.answers.pop(0) if taken.answers else 202
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            taken.received.append((headers, body))

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    taken = Receiver(url=f"http://127.0.0.1:{server.server_address[1]}/webhooks/x")
    thread = Thread(target=lambda: server.serve_forever(0.02), daemon=True)
    thread.start()
    yield taken
    server.shutdown()
    server.server_close()
    thread.join()


def ask_for_token(client: Client, **changes: str) -> Any:
    """The response of RABOT's token endpoint."""
    credentials = client.sandboxes.accounts[client.connection].connection.credentials
    fields = {"grant_type": "client_credentials", **credentials, **changes}
    answer = HTTP.request(
        "POST",
        client.sandboxes.url(client.connection) + "/connect/token",
        fields=fields,
        encode_multipart=False,
    )
    return read_json(answer.data)


def _client(sandboxes: Sandboxes, name: str, *, header: str, credential: str) -> Client:
    value = sandboxes.accounts[name].connection.credentials[credential]
    value = value if header == "x-api-key" else f"Bearer {value}"
    return Client(sandboxes, name, headers={header: value})
