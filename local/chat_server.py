"""Serves the stand-ins for Slack and Microsoft Teams over HTTP, on a port of this machine.

Their webhooks take messages, and a page at ``/`` shows what the chats would show.
"""

from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Final, Self

from local.chat_page import answer_chats
from local.chat_platforms import ChatPlatform
from local.page_server import Answer, page_handler

_HOST: Final = "127.0.0.1"
_PATHS: Final[Mapping[str, str]] = {
    "slack": "/services/T0/B0/slack",
    "teams": "/workflows/teams?sig=teams",
}
_POLL_SECONDS: Final = 0.05


class ChatServer:
    """One webhook of each platform. ``with ChatServer() as server: server.url("slack")``."""

    def __init__(self, *, port: int = 0) -> None:
        self.platforms = {name: ChatPlatform(name) for name in _PATHS}
        self._server = ThreadingHTTPServer((_HOST, port), _handler(self.platforms))
        self._server.daemon_threads = True
        self._thread = Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": _POLL_SECONDS}, daemon=True
        )

    @property
    def page_url(self) -> str:
        """The address of the page that shows what was posted."""
        return f"http://{_HOST}:{self._server.server_address[1]}"

    @property
    def urls(self) -> Mapping[str, str]:
        """The address of each platform's webhook."""
        return {name: self.url(name) for name in _PATHS}

    def url(self, platform: str) -> str:
        """The address of a platform's webhook."""
        return f"{self.page_url}{_PATHS[platform]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(platforms: Mapping[str, ChatPlatform]) -> type[BaseHTTPRequestHandler]:
    def show(path: str) -> Answer:
        taken = {name: list(one.taken) for name, one in platforms.items()}
        return answer_chats(taken, path)

    class Handler(page_handler(show)):  # type: ignore[misc]
        def do_POST(self) -> None:  # noqa: N802 - the name that http.server calls
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            found = [name for name, path in _PATHS.items() if path == self.path]
            if not found:
                self.send_error(404)
                return
            answer = platforms[found[0]].post(body)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

    return Handler
