"""A provider with very many orders, in a process of its own: `python -m bench.provider <orders>`.

`GET /reseller/orders?cursor=&limit=` gives pages of 100; `GET /change?step=&every=` moves one
order in so many to another step. Filters are ignored: every poll has to walk every page.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from bench.children import ROOT
from bench.events import START, listed

PAGE: Final = 100


@contextmanager
def running_provider(orders: int) -> Iterator[str]:
    """The URL of a provider with this number of orders, all at their second step."""
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.provider", str(orders)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        yield f"http://127.0.0.1:{int(child.stdout.readline())}"
    finally:
        child.terminate()
        child.wait()


class Orders:
    """Pages in the form in which they are sent, rendered once."""

    def __init__(self, count: int) -> None:
        self._steps = [1] * count
        self.pages = [self._page(start) for start in range(0, count, PAGE)]

    def change(self, *, step: int, every: int) -> None:
        """Move one order in ``every`` to a step."""
        for number in range(0, len(self._steps), every):
            self._steps[number] = step
        self.pages = [self._page(start) for start in range(0, len(self._steps), PAGE)]

    def _page(self, start: int) -> bytes:
        end = min(start + PAGE, len(self._steps))
        following = str(end // PAGE) if end < len(self._steps) else None
        orders = [self._order(number) for number in range(start, end)]
        return json.dumps({"orders": orders, "nextCursor": following}).encode()

    def _order(self, number: int) -> dict[str, Any]:
        """Like ``listed``, but no two orders have changed at the same instant, since real ones
        rarely have.
        """
        step = self._steps[number]
        at = START + timedelta(days=step, milliseconds=500 * number)
        return {**listed(number, step), "updatedAt": f"{at:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    orders: Orders

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(asked.query).items()}
        if asked.path == "/change":
            self.orders.change(step=int(query["step"]), every=int(query["every"]))
            self._answer(b"{}")
        else:
            self._answer(self.orders.pages[int(query.get("cursor", 0))])

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Log nothing: the first line of the output is the port."""


def main() -> None:
    """Serve until the process ends."""
    _Handler.orders = Orders(int(sys.argv[1]))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
