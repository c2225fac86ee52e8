"""HTTP to a provider: bounded, pinned to its hosts, deaf to redirects."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import urllib3

from milepost.provider import Response

_CHUNK_BYTES: Final = 64 * 1024
MOST_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How many seconds a connection, a first byte and a whole answer may take."""

    connect: float
    read: float
    whole: float


FOR_PAGES: Final = Patience(connect=5.0, read=20.0, whole=30.0)
FOR_A_PERSON: Final = Patience(connect=3.0, read=8.0, whole=9.0)
"""For someone who waits: signing in, acting and looking have to fit into one request of 30 s."""


class FetchFailed(Exception):
    """No answer that can be used. Says what happened, never what was sent."""


class ForeignHost(FetchFailed):
    """A request was about to leave the connection's own hosts, credentials and all."""


class ProviderHttp:
    """Requests to the hosts of one connection, and to no other."""

    def __init__(
        self,
        pool: urllib3.PoolManager,
        *,
        allowed: Iterable[str],
        patience: Patience = FOR_PAGES,
    ) -> None:
        self._pool = pool
        self._patience = patience
        self._origins = frozenset(origin(url) for url in allowed)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> Response:
        """One request, without retries and without following redirects.

        :raises ForeignHost: when the URL is not on the connection's hosts
        :raises FetchFailed: when there is no whole answer in time
        """
        if origin(url) not in self._origins:
            raise ForeignHost("refused a URL that is not on the connection's own hosts")
        try:
            answer = self._pool.request(
                method,
                url,
                body=body,
                headers=dict(headers),
                redirect=False,
                retries=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=self._patience.connect, read=self._patience.read),
            )
            content = _read(answer, whole_seconds=self._patience.whole)
        except urllib3.exceptions.HTTPError as error:
            raise FetchFailed(f"no answer: {type(error).__name__}") from None
        lowered = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status, lowered, content)


def _read(answer: urllib3.BaseHTTPResponse, *, whole_seconds: float) -> bytes:
    """The whole body, within bounds of size and time; else the connection is given up."""
    deadline = time.monotonic() + whole_seconds
    content = bytearray()
    for chunk in answer.stream(_CHUNK_BYTES, decode_content=True):
        content += chunk
        if len(content) > MOST_BYTES or time.monotonic() > deadline:
            answer.close()
            raise FetchFailed(f"an answer of more than {MOST_BYTES} bytes or {whole_seconds:.0f} s")
    answer.release_conn()
    return bytes(content)


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port: what has to be the same for a credential to go along."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
