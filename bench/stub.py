"""A stand-in for AWS that responds at once, or after some seconds, in a process of its own: `python
-m bench.stub <url> <seconds>`.

It keeps what is put into a table or a bucket and gives it back, so that an order goes through its
steps. Everything else has one good answer. `GET /_calls` says what was asked since the last time.
"""

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from bench.children import ROOT
from tests.signing import SECRET

CONNECTION: Final = "offergrid-home"
PROVIDER: Final = "https://api.offergrid.example"
_SIGNING: Final = {"scheme": "standard-webhooks", "secrets": [SECRET]}
_CREDENTIALS: Final = {"api_key": "key"}


def _settings(base_url: str) -> dict[str, Any]:
    return {
        "id": CONNECTION,
        "provider": "offergrid",
        "base_url": base_url,
        "requests_per_minute": 1_000_000,
    }


@contextmanager
def running_stub(provider: str = PROVIDER, *, delay: float = 0) -> Iterator[str]:
    """The URL of a stub that ends with the block; its only connection polls the provider there.

    :param delay: seconds until it answers
    """
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.stub", provider, str(delay)],
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


def read_calls(endpoint: str) -> Counter[str]:
    """How often each operation was requested since the last time."""
    with urllib.request.urlopen(f"{endpoint}/_calls") as answer:
        return Counter(json.load(answer))


class _Aws:
    """The stored items and objects, by primary key or path, and the requests."""

    def __init__(self, provider: str) -> None:
        self._items: dict[str, Any] = {}
        self._objects: dict[str, bytes] = {}
        self._calls: Counter[str] = Counter()
        self._settings = json.dumps(_settings(provider))
        self._answers: dict[str, Any] = {
            "SendMessage": {"MessageId": "00000000-0000-4000-8000-000000000000"},
            "UpdateItem": {"Attributes": {}},
            "Query": {"Items": []},
        }

    def answer(self, target: str, operation: str, body: bytes) -> tuple[int, bytes]:
        if not operation:
            return self._answer_path(target, body)
        self._calls[operation] += 1
        return 200, json.dumps(self._answer(operation, json.loads(body or b"{}"))).encode()

    def _answer_path(self, target: str, body: bytes) -> tuple[int, bytes]:
        method, path = target.split(" ")[:2]
        if path == "/_calls":
            calls, self._calls = self._calls, Counter()
            return 200, json.dumps(calls).encode()
        self._calls[f"{method} object"] += 1
        path = path.partition("?")[0]
        if method == "PUT":
            self._objects[path] = body
            return 200, b""
        if path not in self._objects:
            return 404, b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>"
        return 200, self._objects[path]

    def _answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        if operation == "PutItem":
            self._items[_key(asked["Item"])] = asked["Item"]
        if operation == "GetItem" and (item := self._items.get(_key(asked["Key"]))):
            return {"Item": item}
        if operation == "BatchGetItem":
            return {"Responses": {name: self._found(one) for name, one in _tables(asked)}}
        if operation == "BatchWriteItem":
            for requests in asked["RequestItems"].values():
                for one in requests:
                    self._items[_key(one["PutRequest"]["Item"])] = one["PutRequest"]["Item"]
            return {"UnprocessedItems": {}}
        if operation == "GetParametersByPath":
            name = f"{asked['Path'].rstrip('/')}/{CONNECTION}"
            return {"Parameters": [{"Name": name, "Value": self._settings}]}
        if operation == "GetSecretValue":
            entry = _CREDENTIALS if "credentials" in asked["SecretId"].lower() else _SIGNING
            return {
                "SecretString": json.dumps({CONNECTION: entry}),
                "VersionId": "00000000-0000-4000-8000-000000000001",
            }
        found: dict[str, Any] = self._answers.get(operation, {})
        return found

    def _found(self, keys: list[dict[str, Any]]) -> list[Any]:
        return [self._items[_key(one)] for one in keys if _key(one) in self._items]


def _key(item: dict[str, Any]) -> str:
    return json.dumps([item.get("pk"), item.get("sk")])


def _tables(asked: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    return [(name, one["Keys"]) for name, one in asked["RequestItems"].items()]


class _Connection(asyncio.Protocol):
    """HTTP in the form that botocore uses: one request after another, each with its length."""

    def __init__(self, aws: _Aws, delay: float) -> None:
        self._aws = aws
        self._delay = delay
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            target, _, head = self._received[:end].decode("latin-1").partition("\r\n")
            headers = _headers(head)
            if "100-continue" in headers.get("expect", "") and len(self._received) == end + 4:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            whole = end + 4 + int(headers.get("content-length", 0))
            if len(self._received) < whole:
                return
            body, self._received = self._received[end + 4 : whole], self._received[whole:]
            operation = headers.get("x-amz-target", "").rpartition(".")[2]
            self._answer(_response(*self._aws.answer(target, operation, body)))

    def _answer(self, response: bytes) -> None:
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, response)
        else:
            self._transport.write(response)


def _response(status: int, content: bytes) -> bytes:
    return (
        b"HTTP/1.1 %d OK\r\ncontent-type: application/x-amz-json-1.0\r\n"
        b"x-amzn-requestid: 0\r\ncontent-length: %d\r\n\r\n" % (status, len(content))
    ) + content


def _headers(head: str) -> dict[str, str]:
    return {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head.split("\r\n"))
    }


async def serve() -> None:
    """Serve until the process ends; the first line of its output is the port."""
    aws, delay = _Aws(sys.argv[1]), float(sys.argv[2])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(aws, delay), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
