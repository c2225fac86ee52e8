"""HTTP to a provider: bounded, pinned to its hosts, without following redirects."""

import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from milepost.common.socket_deadline import Line, Lines
from milepost.providers.base import Response

_CHUNK_BYTES: Final = 64 * 1024
MOST_BYTES: Final = 4 * 1024 * 1024
"""Of one answer. JSON of small values takes up to 35 times as much memory as bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How many seconds a connection, a wait for anything at all, and all of it may take."""

    connect: float
    read: float
    whole: float


FOR_PAGES: Final = Patience(connect=5.0, read=20.0, whole=30.0)
INTERACTIVE_TIMEOUTS: Final = Patience(connect=3.0, read=8.0, whole=9.0)
"""For someone who waits: signing in, acting and looking have to fit into one request of 30 s."""


_CAN_BE_SENT: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class FetchFailed(Exception):
    """No answer that can be used. Says what happened, never what was sent."""


class ForeignHost(FetchFailed):
    """A request was about to leave the connection's own hosts, credentials and all."""


_LINES: Final = Lines()


class _Going(threading.local):
    """The exchange of this thread that is going on."""

    line: Line | None = None


_GOING: Final = _Going()


class _Connection(HTTPConnection):
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as urllib3 does
        _hold(self)
        return super().getresponse()


class _TlsConnection(HTTPSConnection):
    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as urllib3 does
        _hold(self)
        return super().getresponse()


def _hold(connection: HTTPConnection) -> None:
    if _GOING.line is not None and connection.sock is not None:
        _GOING.line.hold(connection.sock)


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class ProviderPool(urllib3.PoolManager):
    """Connections to providers, kept for the next request, which can be cut off at any time."""

    def __init__(self, *, maxsize: int = 2) -> None:
        super().__init__(maxsize=maxsize)
        self.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


class ProviderHttp:
    """Requests to the hosts of one connection, and to no other."""

    def __init__(
        self,
        pool: ProviderPool,
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
        if not all(_CAN_BE_SENT.fullmatch(value) for value in headers.values()):
            raise FetchFailed(
                "a credential can't be sent as a header: it has a line break, another control "
                "character, or one that isn't Latin-1; set it again"
            )
        with _LINES.open(self._patience.whole) as line:
            _GOING.line = line
            try:
                answer, content = self._exchange(method, url, dict(headers), body)
            except (FetchFailed, MemoryError):
                raise
            except Exception as error:
                # Beside urllib3's own come those of http.client, sockets and decoders. Only the
                # kind is named: a message may quote what was sent.
                why = type(error).__name__
                raise FetchFailed(
                    self._too_late() if line.is_cut else f"no answer: {why}"
                ) from None
            finally:
                _GOING.line = None
            if line.is_cut:
                # Headers that were cut, or a body without a length, look as if they were whole.
                raise FetchFailed(self._too_late())
        lowered = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status, lowered, content)

    def _too_late(self) -> str:
        return f"no whole answer in {self._patience.whole:g} s"

    def _exchange(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None
    ) -> tuple[urllib3.BaseHTTPResponse, bytes]:
        answer = self._pool.request(
            method,
            url,
            body=body,
            headers=headers,
            redirect=False,
            retries=False,
            preload_content=False,
            timeout=urllib3.Timeout(connect=self._patience.connect, read=self._patience.read),
        )
        return answer, _read(answer)


def _read(answer: urllib3.BaseHTTPResponse) -> bytes:
    """The whole body, within bounds of size; else the connection is given up."""
    content = bytearray()
    for chunk in _chunks(answer):
        content += chunk
        if len(content) > MOST_BYTES:
            answer.close()
            raise FetchFailed(
                f"an answer of more than {MOST_BYTES:,} bytes: "
                "if it was a page, set a smaller page_size"
            )
    answer.release_conn()
    return bytes(content)


def _chunks(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    try:
        yield from answer.stream(_CHUNK_BYTES, decode_content=True)
    except Exception:
        # Whatever is left in the connection is no answer to the next request.
        answer.close()
        raise


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port: what has to be the same for a credential to go along."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
