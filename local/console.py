"""Serves the console at an address of its own, by forwarding requests to its routes of the API.

The emulator serves an API below a path, and cookies of the console are for a whole host alone.
"""

from http.server import BaseHTTPRequestHandler
from typing import Any, Final

import urllib3

from local.deployment import Deployment
from local.emulator_access import Access
from local.page_server import LocalServer

_OWN_NAMES: Final = ("127.0.0.1", "localhost")
_HOP_BY_HOP: Final = ("connection", "content-length", "keep-alive", "transfer-encoding", "date")
_SECONDS: Final = 60


class ConsoleServer(LocalServer):
    """Forwards ``/console``."""

    def __init__(self, *, api_url: str, port: int) -> None:
        super().__init__(_handler(api_url), port=port)
        self.url += "/console"


def _handler(api_url: str) -> type[BaseHTTPRequestHandler]:
    pool = urllib3.PoolManager(retries=False, timeout=_SECONDS, maxsize=8)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _forward(self) -> None:
            host = self.headers.get("Host", "").rpartition(":")[0]
            if host not in _OWN_NAMES:
                # Another site's name that resolves to this machine.
                return self._send(421, {}, b"")
            if self.path.partition("?")[0] == "/":
                return self._send(302, {"location": "/console"}, b"")
            if not self.path.startswith("/console"):
                return self._send(404, {}, b"Not found")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
            answer = pool.request(
                self.command,
                f"{api_url}{self.path}",
                body=body,
                headers={n: v for n, v in self.headers.items() if n.lower() not in _HOP_BY_HOP},
                redirect=False,
                decode_content=False,
            )
            return self._send(answer.status, answer.headers, answer.data)

        do_GET = do_POST = do_HEAD = _forward  # noqa: N815 - as the base class has it

        def _send(self, status: int, headers: Any, body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Log nothing, since the function logs each response."""

    return Handler


def tell_console_addresses(
    access: Access, deployment: Deployment, *, console_url: str, login_url: str
) -> None:
    """Configure the console's address on this machine in the console and the user pool."""
    client_id = deployment.find_id("ConsoleClient")
    value = f'{{"url":"{console_url}","login":"{login_url}","client":"{client_id}"}}'
    access.client("ssm").put_parameter(
        Name=deployment.find_id("ConsoleSettings"), Value=value, Type="String", Overwrite=True
    )
    # Of the emulator's settings the others stay as they are; AWS would reset them.
    access.client("cognito-idp").update_user_pool_client(
        UserPoolId=deployment.find_id("PeoplePool"),
        ClientId=client_id,
        CallbackURLs=[f"{console_url}/signed-in"],
        LogoutURLs=[f"{console_url}/signed-out"],
    )
