"""A server that records the responses of another one, and then gives the same responses after a
delay: `python -m bench.recorded <port> <seconds>`.

So the time that the other server needs is in no measurement: an engine on this machine takes more
or less than AWS does, and shares the processor with what is measured. The first line of the output
is the server's own port. `POST /_record` forgets what was recorded so far, `POST /_replay` ends the
recording. After that, a request that was not recorded is answered by status 501. The answers to
equal requests are given again in their order, from the first after the last.
"""

import asyncio
import re
import sys
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

_VARYING: Final = re.compile(
    rb"\d{4}-\d\d-\d\dT[\d:.]+Z?|\b1[6-9]\d{8}\b|\b[0-9a-f]{32}\b|"
    rb"\b[0-9a-z]{8,}(?:-[0-9a-z]{4,}){4,}\b"
)
"""Times and random ids: they differ each time that the same request is made."""
_NOT_RECORDED: Final = (
    b"HTTP/1.1 501 Not Implemented\r\ncontent-type: application/x-amz-json-1.0\r\n"
    b'content-length: 30\r\n\r\n{"__type":"RequestNotRecorded"}'
)
_OK: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Message:
    """An HTTP/1.1 request or response, and its length."""

    head: bytes
    body: bytes

    @property
    def key(self) -> tuple[bytes, bytes]:
        """The part of a request that is the same whenever it is repeated."""
        target = re.search(rb"(?im)^x-amz-target: *(\S+)", self.head)
        line = self.head.partition(b"\r\n")[0]
        return (target[1] if target else line), _VARYING.sub(b"*", self.body)

    @property
    def content(self) -> bytes:
        return self.head + self.body


@dataclass(slots=True)
class Recording:
    """Responses by request, and how often each request was answered from them."""

    answers: dict[tuple[bytes, bytes], list[bytes]] = field(
        default_factory=lambda: defaultdict(list)
    )
    given: dict[tuple[bytes, bytes], int] = field(default_factory=lambda: defaultdict(int))
    is_finished: bool = False

    def again(self, request: Message) -> bytes:
        """The recorded response to a request."""
        answers = self.answers.get(request.key)
        if not answers:
            return _NOT_RECORDED
        number = self.given[request.key]
        self.given[request.key] += 1
        return answers[number % len(answers)]


class Recorder:
    """Responds to requests one after another for each client, and to several clients at the same
    time.
    """

    def __init__(self, port: int, delay: float) -> None:
        self._port, self._delay = port, delay
        self._recording = Recording()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Respond on one connection until the client closes it."""
        behind: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                request = await _read(reader)
                due = loop.time() + self._delay
                if request.head.startswith(b"POST /_"):
                    is_finished = request.head.startswith(b"POST /_replay ")
                    recording = self._recording if is_finished else Recording()
                    self._recording = replace(recording, is_finished=is_finished)
                    answer = _OK
                elif self._recording.is_finished:
                    answer = self._recording.again(request)
                    await asyncio.sleep(max(0, due - loop.time()))
                else:
                    behind = behind or await asyncio.open_connection("127.0.0.1", self._port)
                    answer = await _ask(request, *behind)
                    self._recording.answers[request.key].append(answer)
                writer.write(answer)
                await writer.drain()
        for one in (writer, *(behind or ())[1:]):
            one.close()


async def _ask(
    request: Message, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bytes:
    writer.write(request.content)
    return (await _read(reader)).content


async def _read(reader: asyncio.StreamReader) -> Message:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?im)^content-length: *(\d+)", head)
    return Message(head, await reader.readexactly(int(length[1]) if length else 0))


async def main(port: int, delay: float) -> None:
    """Serve until the process ends."""
    server = await asyncio.start_server(
        Recorder(port, delay).serve, "127.0.0.1", 0, limit=4 * 1024 * 1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
