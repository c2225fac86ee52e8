"""Small web pages on 127.0.0.1: maps the path of a request to a response."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_OWN_NAMES: Final = ("127.0.0.1", "localhost")

STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: #0a6d5a; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
h1 { font-size: 1.3rem; margin: 0 0 1rem; } h2 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
a { color: inherit; } .soft { opacity: .7; font-size: .9rem; }
ul { list-style: none; margin: 0; padding: 0; }
li { border-top: 1px solid var(--line); padding: .6rem 0; overflow-wrap: anywhere; }
.tiles { display: grid; gap: .5rem; grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); }
.tiles li { background: var(--soft); border: 0; border-radius: .5rem; padding: .6rem .8rem; }
.tiles b { display: block; font-size: 1.5rem; line-height: 1.2; }
.badge { background: var(--soft); border-radius: 1rem; padding: .1rem .6rem; font-size: .85rem; }
pre { background: var(--soft); border-radius: .5rem; overflow-x: auto; padding: .8rem;
      white-space: pre-wrap; overflow-wrap: anywhere; }
iframe { background: #fff; border: 1px solid var(--line); border-radius: .5rem;
         height: 70vh; width: 100%; }
nav a { margin-right: 1rem; }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The response of a page."""

    body: str
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


NOT_FOUND: Final = Answer(status=404, body="Not found", content_type="text/plain; charset=utf-8")


def render_page(*, title: str, content: str, refresh_seconds: int | None = None) -> Answer:
    """A whole page around content that is already HTML; the title is plain text."""
    refresh = f'<meta http-equiv="refresh" content="{refresh_seconds}">' if refresh_seconds else ""
    body = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{refresh}<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main>{content}</main></body></html>"
    )
    return Answer(body=body, headers={"Content-Security-Policy": PAGE_POLICY})


class LocalServer:
    """Serves requests in threads of its own until it is closed."""

    def __init__(self, handler: type[BaseHTTPRequestHandler], *, port: int) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class PageServer(LocalServer):
    """Serves pages for GET requests."""

    def __init__(self, answer: Callable[[str], Answer], *, port: int) -> None:
        super().__init__(page_handler(answer), port=port)


def page_handler(find_answer: Callable[[str], Answer]) -> type[BaseHTTPRequestHandler]:
    """A handler that responds to GET requests by path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
            # Another site's name that resolves to this machine must not read the pages.
            answer = find_answer(self.path.split("?")[0]) if host in _OWN_NAMES else NOT_FOUND
            body = answer.body.encode("utf-8", "replace")
            self.send_response(answer.status)
            headers = {"Content-Type": answer.content_type, "Content-Length": str(len(body))}
            for name, value in (_HEADERS | headers | dict(answer.headers)).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Log nothing, since the pages reload every few seconds."""

    return Handler
