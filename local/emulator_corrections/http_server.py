"""The emulator's HTTP server, replaced by a faster one.

ministack 1.5.33 comes with a server in pure Python, which takes a quarter of all its time. It is a
plain ASGI application, so any server does.
"""

import importlib
from typing import Any

import uvicorn
import uvloop

KEEP_ALIVE_SECONDS = 75
"""As long as the emulator's own server keeps a connection: longer than AWS's clients do."""


def correct_ministack() -> None:
    """Serve any application with uvicorn."""
    uvloop.install()
    server: Any = importlib.import_module("hypercorn.asyncio")
    server.serve = serve


async def serve(application: Any, config: Any) -> None:
    """Serve until a signal comes; ``config`` is that of the emulator's own server."""
    host, _, port = config.bind[0].rpartition(":")
    settings = uvicorn.Config(
        application,
        host=host,
        port=int(port),
        ws="none",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
    await uvicorn.Server(settings).serve()
