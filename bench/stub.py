"""A stand-in for AWS that answers at once, in a process of its own: `python -m bench.stub`.

It keeps what is put into a table and gives it back, so that an order goes through its steps.
Everything else has one good answer.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from bench.children import ROOT
from tests.signing import SECRET

CONNECTION: Final = {
    "id": "offergrid-home",
    "provider": "offergrid",
    "base_url": "https://api.offergrid.example",
}
_SIGNING: Final = {"offergrid-home": {"scheme": "standard-webhooks", "secrets": [SECRET]}}
_ANSWERS: Final[dict[str, Any]] = {
    "GetSecretValue": {"SecretString": json.dumps(_SIGNING)},
    "GetParametersByPath": {"Parameters": [{"Value": json.dumps(CONNECTION)}]},
    "SendMessage": {"MessageId": "00000000-0000-4000-8000-000000000000"},
}


@contextmanager
def running_stub() -> Iterator[str]:
    """The URL of a stub that ends with the block."""
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.stub"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        yield f"http://127.0.0.1:{int(child.stdout.readline())}"
    finally:
        child.terminate()
        child.wait()


class _Tables:
    """What was put, by primary key."""

    def __init__(self) -> None:
        self._items: dict[str, Any] = {}

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        if operation == "PutItem":
            self._items[_key(asked["Item"])] = asked["Item"]
        if operation == "GetItem" and (item := self._items.get(_key(asked["Key"]))):
            return {"Item": item}
        if operation == "BatchGetItem":
            return {"Responses": {name: self._found(one) for name, one in _tables(asked)}}
        return _ANSWERS.get(operation, {})

    def _found(self, keys: list[dict[str, Any]]) -> list[Any]:
        return [self._items[_key(one)] for one in keys if _key(one) in self._items]


def _key(item: dict[str, Any]) -> str:
    return json.dumps([item.get("pk"), item.get("sk")])


def _tables(asked: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    return [(name, one["Keys"]) for name, one in asked["RequestItems"].items()]


class _Connection(asyncio.Protocol):
    """HTTP as botocore speaks it: one request after the other, each with its length."""

    def __init__(self, tables: _Tables) -> None:
        self._tables = tables
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            headers = _headers(self._received[:end])
            whole = end + 4 + int(headers.get("content-length", 0))
            if len(self._received) < whole:
                return
            body, self._received = self._received[end + 4 : whole], self._received[whole:]
            self._transport.write(self._answer(headers, body))

    def _answer(self, headers: dict[str, str], body: bytes) -> bytes:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        answer = self._tables.answer(operation, json.loads(body or b"{}") if operation else {})
        content = json.dumps(answer).encode()
        return (
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\n"
            b"x-amzn-requestid: 0\r\ncontent-length: %d\r\n\r\n" % len(content)
        ) + content


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }


async def serve() -> None:
    """Serve until the process is ended; the first line of its output is the port."""
    tables = _Tables()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(tables), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
