"""A proxy whose answers come later: `python -m bench.proxy <port> <seconds>`.

What is sent is passed on at once, what comes back after the delay, in its order. The first line of
its output is its own port.
"""

import asyncio
import sys
from contextlib import suppress
from typing import Final

_AT_ONCE: Final = 65_536


class Proxy:
    """Passes connections on to a port of this machine."""

    def __init__(self, port: int, delay: float) -> None:
        self._port = port
        self._delay = delay

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on one connection until either side closes it."""
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        sending = asyncio.create_task(self._pass_on(reader, back))
        await self._pass_back(there, writer)
        sending.cancel()
        for one in (back, writer):
            one.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while content := await reader.read(_AT_ONCE):
                writer.write(content)
                await writer.drain()
        writer.close()

    async def _pass_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def write() -> None:
            with suppress(ConnectionError):
                while True:
                    due, content = await waiting.get()
                    if not content:
                        return
                    await asyncio.sleep(due - loop.time())
                    writer.write(content)
                    await writer.drain()

        writing = asyncio.create_task(write())
        content = b"-"
        while content:
            try:
                content = await reader.read(_AT_ONCE)
            except ConnectionError:
                content = b""
            waiting.put_nowait((loop.time() + self._delay, content))
        await writing


async def main(port: int, delay: float) -> None:
    """Serve until the process is ended."""
    server = await asyncio.start_server(Proxy(port, delay).serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
