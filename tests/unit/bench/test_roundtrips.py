"""Measurements behind a delay: recorded answers, the stub, and how an event's way is summarized."""

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError

import pytest

from bench.roundtrips.delays import DELAY, Call, in_turn, recorded
from bench.roundtrips.way_of_an_event import summarize
from bench.stub import read_calls, running_stub


class Counter(BaseHTTPRequestHandler):
    """Answers with the number of the request, and with what it was sent."""

    number = 0

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        type(self).number += 1
        body = b"%d:" % self.number + self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def counter() -> Iterator[str]:
    handler = type("Handler", (Counter,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def ask_for(url: str, body: bytes) -> bytes:
    with urllib.request.urlopen(url, data=body) as answer:
        answered: bytes = answer.read()
    return answered


def test_recorded_answers_come_later_and_are_unchanged(counter: str) -> None:
    big = bytes(range(256)) * 2_000
    with recorded(counter) as server:
        assert ask_for(server.url, b"forgotten") == b"1:forgotten"
        server.record()
        asked = [b"small", big, b'{"at": "2026-11-27T10:00:00Z", "claim": "%s"}' % (b"0a" * 16)]
        told = [ask_for(server.url, body) for body in [*asked, b"small"]]
        server.replay()
        for body, answer in zip([*asked, b"small", b"small"], [*told, told[0]], strict=True):
            began = time.perf_counter()
            assert ask_for(server.url, body) == answer
            # No matter how busy the machine is, it can't be sooner.
            assert time.perf_counter() - began >= DELAY
        # The same request at another time, with another random id.
        later = b'{"at": "2026-11-27T11:30:00Z", "claim": "%s"}' % (b"1b" * 16)
        assert ask_for(server.url, later) == told[2]
        for unknown in (b"forgotten", b'{"at": "2026-11-27"}'):
            with pytest.raises(HTTPError, match="501"):
                ask_for(server.url, unknown)


def test_calls_in_turn_are_the_longest_chain() -> None:
    times = [(0, 2), (1, 3), (2, 4), (3.5, 5), (4, 6), (7, 8)]
    calls = [Call("GetItem", began, ended, {}) for began, ended in times]
    assert [in_turn(calls[:count]) for count in range(7)] == [0, 1, 1, 2, 2, 3, 4]


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
