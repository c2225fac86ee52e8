"""How much processor time `milepost orders list` takes, from its start to its end.

The function that it asks is a server here that gives the answer of orders_api to 50 orders.
"""

import io
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from moto import mock_aws

from bench.children import ROOT
from bench.console import put_orders
from bench.figures import Figure
from bench.roundtrips.delays import DELAY, run_module
from tests.builders import OFFERGRID
from tests.integration.operator_requests import http_event
from tests.stack import Context, Stack

SECONDS: Final = 0.35
ROUNDS: Final = 9
ORDERS: Final = 50
_LIST: Final = ("-c", "from cli.main import app; app()", "orders", "list")
_BARE: Final = """
import boto3
session = boto3.Session(region_name="eu-central-1")
for service in ("lambda", "sts"):
    session.client(service)
"""
_CALLER: Final = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetCallerIdentityResult><Arn>arn:aws:iam::000000000000:user/kim</Arn></GetCallerIdentityResult>
</GetCallerIdentityResponse>"""


def measure(*, quick: bool) -> Iterator[Figure]:
    """Seconds of processor time, compared with those of a process that creates boto3's two
    clients.
    """
    rounds = 3 if quick else ROUNDS
    with _api(json.dumps(run_module("command")).encode()) as url, TemporaryDirectory() as place:
        _write_stack(Path(place), url)
        ours, bare = [], []
        for _ in range(rounds):
            bare.append(_processor(("-c", _BARE), Path(place)))
            ours.append(_processor(_LIST, Path(place)))
    yield Figure(
        what="milepost orders list, the whole process",
        measured=median(ours),
        unit="s of the processor",
        goal=SECONDS,
        note=f"with boto3's two clients alone {median(bare):.2f} s",
        if_missed="boto3's two clients are most of it. Tried: botocore's credentials and signer "
        "without a client save a fifth, and leave retries, endpoints and errors to us",
    )


def _processor(arguments: Sequence[str], place: Path) -> float:
    """Seconds of processor time for a Python process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *arguments],
        cwd=place,
        env={"PATH": os.defpath, "HOME": str(place), "PYTHONPATH": f"{ROOT}:{ROOT}/layers/core"},
        check=True,
        capture_output=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def _write_stack(place: Path, url: str) -> None:
    """Write the file with which a local stack describes itself to the command."""
    (place / ".local").mkdir()
    stack = {
        "stack_name": "bench",
        "region": "eu-central-1",
        "access_key_id": "testing",
        "secret_access_key": "testing",
        "outputs": {"OrdersApiFunction": "orders-api"},
        "api_url": url,
        "aws_endpoint_url": url,
    }
    (place / ".local" / "stack.json").write_text(json.dumps(stack))


@contextmanager
def _api(answer: bytes) -> Iterator[str]:
    """A server that responds like Lambda and STS, after the delay."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            is_invocation = self.path.startswith("/2015-03-31/functions")
            content = answer if is_invocation else _CALLER
            time.sleep(DELAY)
            self.send_response(200)
            self.send_header("content-type", "application/json" if is_invocation else "text/xml")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _listed() -> object:
    """The response of orders_api to the command's request."""
    with mock_aws():
        stack = Stack()
        stack.apply(OFFERGRID)
        put_orders(stack, ORDERS)
        query = {"limit": f"{ORDERS}"}
        event = http_event("GET", "/orders", None, role="viewer", query=query)
        answer = stack.load("orders_api").handler(event, Context())
    if answer["statusCode"] != 200:
        raise SystemExit(f"orders_api: {answer}")
    return answer


def main() -> None:
    """Print the response that the command gets."""
    with redirect_stdout(io.StringIO()):
        found = _listed()
    print(json.dumps(found))
