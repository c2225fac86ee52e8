"""Measurements behind a delay: the proxy, the stub, and how an event's way is summarized."""

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bench.roundtrips.delays import DELAY, delayed
from bench.roundtrips.way_of_an_event import summarize
from bench.stub import read_calls, running_stub


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def echo() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_answers_come_later_through_the_proxy_and_are_unchanged(echo: str) -> None:
    bodies = [b"small", bytes(range(256)) * 2_000]
    with delayed(echo) as proxy:
        for body in bodies:
            began = time.perf_counter()
            with urllib.request.urlopen(proxy, data=body) as answer:
                assert answer.read() == body
            # No matter how busy the machine is, it can't be sooner.
            assert time.perf_counter() - began >= DELAY


def test_a_stub_that_answers_later_keeps_what_is_written_in_batches() -> None:
    item = {"pk": {"S": "a"}, "sk": {"S": "b"}, "said": {"S": "c"}}

    def ask(endpoint: str, operation: str, body: Any) -> Any:
        request = urllib.request.Request(
            endpoint,
            json.dumps(body).encode(),
            {"x-amz-target": f"DynamoDB_20120810.{operation}"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    with running_stub(delay=DELAY) as endpoint:
        began = time.perf_counter()
        puts = {"RequestItems": {"t": [{"PutRequest": {"Item": item}}]}}
        ask(endpoint, "BatchWriteItem", puts)
        assert time.perf_counter() - began >= DELAY
        keys = {"RequestItems": {"t": {"Keys": [{"pk": item["pk"], "sk": item["sk"]}]}}}
        assert ask(endpoint, "BatchGetItem", keys)["Responses"] == {"t": [item]}
        assert read_calls(endpoint) == {"BatchWriteItem": 1, "BatchGetItem": 1}


def step(seconds: float, *calls: str) -> dict[str, Any]:
    return {"seconds": seconds, "calls": [*calls]}


def test_an_events_time_is_that_of_its_own_steps() -> None:
    usual = [step(0.02, "GetItem a", "PutItem b"), step(0.01, "Publish"), step(0.03, "SendEmail")]
    slow = [step(0.5, "GetItem a", "PutItem b"), step(0.4, "Publish"), step(0.03, "SendEmail")]
    rows = {one.what: one for one in summarize([*[usual] * 98, slow, slow], overlong=3)}
    calls = rows["accepted webhook to SNS publish: calls to AWS"]
    assert (calls.measured, calls.note) == (3, "GetItem a, PutItem b; Publish")
    shown = {
        what.removeprefix("accepted webhook to "): round(one.measured)
        for what, one in rows.items()
        if one.unit
    }
    assert shown == {
        "SNS publish, p50": 30,
        "SNS publish, p99": 900,
        "SES send, p50": 60,
        "SES send, p99": 930,
    }
