"""HTTP requests to providers: limited in time and size, only to the connection's hosts, without
redirects."""

import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from milepost.common.socket_deadline import Line, Lines
from milepost.providers.base import Response

_CHUNK_BYTES: Final = 256 * 1024
"""How much is read and decoded at a time: most pages at once."""
MOST_BYTES: Final = 4 * 1024 * 1024
"""Maximum size of a response body. Parsed JSON of small values takes up to 35 times as much
memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Timeouts in seconds: to connect, to wait for the next data, and for the whole exchange."""

    connect: float
    read: float
    whole: float


FOR_PAGES: Final = Patience(connect=5.0, read=20.0, whole=30.0)
INTERACTIVE_TIMEOUTS: Final = Patience(connect=3.0, read=8.0, whole=9.0)
"""For a person who waits: sign-in, action and fetch have to fit into one API request of 30 s."""


Origin: TypeAlias = tuple[str, str | None, int | None]
"""Scheme, host and port of a URL: credentials are only sent to the same origin."""

_CAN_BE_SENT: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class FetchFailed(Exception):
    """No usable response. The message says what happened, never what was sent."""


class ForeignHost(FetchFailed):
    """A request with credentials would have gone to a host that isn't the connection's."""


_LINES: Final = Lines()


class _Going(threading.local):
    """The exchange that this thread is making."""

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
    """Connections to providers, kept open for the next request; they can be closed at any time."""

    def __init__(self, *, maxsize: int = 2) -> None:
        super().__init__(maxsize=maxsize)
        self.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


class ProviderHttp:
    """Sends requests only to the hosts of one connection."""

    def __init__(
        self,
        pool: ProviderPool,
        *,
        allowed: Iterable[str],
        patience: Patience = FOR_PAGES,
    ) -> None:
        self._pool = pool
        self._patience = patience
        self._timeout = urllib3.Timeout(connect=patience.connect, read=patience.read)
        self._origins = frozenset(origin(url) for url in allowed)
        self._connections: dict[Origin, urllib3.HTTPConnectionPool] = {}
        """Looked up once, since parsing each URL for them takes 12 of a page's 330 microseconds."""

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
        :raises FetchFailed: when there is no complete response in time
        """
        parts = urlsplit(url)
        if _origin_of(parts) not in self._origins:
            raise ForeignHost("refused a URL that is not on the connection's own hosts")
        if not all(_CAN_BE_SENT.fullmatch(value) for value in headers.values()):
            raise FetchFailed(
                "a credential can't be sent as a header: it has a line break, another control "
                "character, or one that isn't Latin-1; set it again"
            )
        with _LINES.open(self._patience.whole) as line:
            _GOING.line = line
            try:
                answer, content = self._exchange(method, parts, dict(headers), body)
            except (FetchFailed, MemoryError):
                raise
            except Exception as error:
                # Besides urllib3's own, errors of http.client, sockets and decoders. Only the kind
                # is
                # named: a message may quote what was sent.
                why = type(error).__name__
                raise FetchFailed(
                    self._too_late() if line.is_cut else f"no answer: {why}"
                ) from None
            finally:
                _GOING.line = None
            if line.is_cut:
                # Truncated headers, or a body without a length, look complete.
                raise FetchFailed(self._too_late())
        lowered = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status, lowered, content)

    def _too_late(self) -> str:
        return f"no whole answer in {self._patience.whole:g} s"

    def _exchange(
        self, method: str, url: SplitResult, headers: dict[str, str], body: bytes | None
    ) -> tuple[urllib3.BaseHTTPResponse, bytes]:
        answer = self._connections_to(url).urlopen(
            method,
            f"{url.path or '/'}?{url.query}" if url.query else url.path or "/",
            body=body,
            headers=headers,
            redirect=False,
            retries=False,
            preload_content=False,
            timeout=self._timeout,
        )
        return answer, _read(answer)

    def _connections_to(self, url: SplitResult) -> urllib3.HTTPConnectionPool:
        found = self._connections.get(_origin_of(url))
        if found is None:
            found = self._pool.connection_from_host(url.hostname, url.port, url.scheme)
            self._connections[_origin_of(url)] = found
        return found


def _read(answer: urllib3.BaseHTTPResponse) -> bytes:
    """The complete body, if it is within the size limit; else the connection is closed."""
    content = BytesIO()
    for chunk in _chunks(answer):
        content.write(chunk)
        if content.tell() > MOST_BYTES:
            answer.close()
            raise FetchFailed(
                f"an answer of more than {MOST_BYTES:,} bytes: "
                "if it was a page, set a smaller page_size"
            )
    answer.release_conn()
    return content.getvalue()


def _chunks(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    try:
        yield from answer.stream(_CHUNK_BYTES, decode_content=True)
    except Exception:
        # The rest of this response must not be read as the response to the next request.
        answer.close()
        raise


def origin(url: str) -> Origin:
    """The origin of a URL.

    :raises ValueError: when its port is none
    """
    return _origin_of(urlsplit(url))


def _origin_of(url: SplitResult) -> Origin:
    return url.scheme, url.hostname, url.port
