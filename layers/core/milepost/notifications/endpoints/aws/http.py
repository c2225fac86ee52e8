"""HTTP requests to endpoints: only to the checked address, within 15 seconds, without redirects."""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Final

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from milepost.common.socket_deadline import Line
from milepost.notifications.endpoints.addresses import Refused, Target, check_addresses, read_url
from milepost.notifications.endpoints.delivery import NoAnswer
from milepost.notifications.endpoints.retry_policy import Answer

SECONDS: Final = 15.0
"""The total time in seconds: resolving the name, connecting, sending, and the response."""
MOST_BYTES: Final = 64 * 1024
MOST_LOOKED_AT: Final = 2_000
"""The number of bytes of a response's body that are read, since chats put the error into it."""
_MOST_INTERIM: Final = 100
_NOT_SKIPPED_HERE: Final = (http.HTTPStatus.CONTINUE, http.HTTPStatus.SWITCHING_PROTOCOLS)

Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host.

    :raises OSError: when it can't be resolved
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class _FinalResponse(http.client.HTTPResponse):
    """A response that skips all interim responses: http.client only skips ``100 Continue``.

    ``101 Switching Protocols`` is final, since what follows it is no HTTP (RFC 9110, section 15.2).
    """

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(_MOST_INTERIM):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not http.HTTPStatus.CONTINUE <= status < http.HTTPStatus.OK:
                return version, status, reason
            if status in _NOT_SKIPPED_HERE:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise http.client.HTTPException("too many interim responses")


class EndpointHttp:
    """Implements ``delivery.Http``. Proxies from environment variables aren't used."""

    def __init__(
        self,
        *,
        allow_private: bool,
        resolve: Resolve = resolve,
        seconds: float = SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allow_private = allow_private
        self._resolve = resolve
        self._seconds = seconds
        self._tls = tls or ssl.create_default_context()

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            target = read_url(url, allow_private=self._allow_private)
        except Refused as refusal:
            raise NoAnswer(str(refusal)) from None
        call = _Call(
            target,
            find=self._find,
            connection=self._connection(target),
            seconds=self._seconds,
        )
        return call.run(headers, body)

    def _find(self, target: Target) -> list[str]:
        addresses = self._resolve(target.host, target.port)
        return check_addresses(addresses, allow_private=self._allow_private)

    def _connection(self, target: Target) -> HTTPConnection:
        """A connection with the host's name, for the Host header and for TLS verification."""
        made = (
            HTTPSConnection(target.host, target.port, timeout=self._seconds, ssl_context=self._tls)
            if target.is_tls
            else HTTPConnection(target.host, target.port, timeout=self._seconds)
        )
        made.response_class = _FinalResponse
        return made


class _Call:
    """One call, in its own thread.

    Resolving a host's name has no timeout. So the caller waits for a limited time, then closes the
    socket.
    """

    def __init__(
        self,
        target: Target,
        *,
        find: Callable[[Target], list[str]],
        connection: HTTPConnection,
        seconds: float,
    ) -> None:
        self._target = target
        self._find = find
        self._connection = connection
        self._seconds = seconds
        self._outcome: SimpleQueue[Answer | NoAnswer] = SimpleQueue()
        self._line = Line()
        self._answer: Answer | None = None

    def run(self, headers: Mapping[str, str], body: bytes) -> Answer:
        thread = threading.Thread(target=self._work, args=(headers, body), daemon=True)
        thread.start()
        try:
            outcome = self._outcome.get(timeout=self._seconds)
        except Empty:
            # Only the status counts: an endpoint that sends the rest slowly has the message.
            outcome = self._answer or self._too_late()
        finally:
            self._line.cut()
        if isinstance(outcome, NoAnswer):
            raise outcome
        return outcome

    def _work(self, headers: Mapping[str, str], body: bytes) -> None:
        try:
            outcome: Answer | NoAnswer = self._exchange(headers, body)
        except TimeoutError:
            outcome = self._too_late()
        except Exception as error:
            outcome = NoAnswer(_why(error))
        finally:
            self._connection.close()
        self._outcome.put(outcome)

    def _too_late(self) -> NoAnswer:
        return NoAnswer(f"no answer in {self._seconds:g} s")

    def _exchange(self, headers: Mapping[str, str], body: bytes) -> Answer:
        line = self._connect()
        # In place of its own connection, which would look the name up a second time.
        self._connection._new_conn = lambda: line  # type: ignore[method-assign]
        self._connection.connect()
        asked = {**headers, "connection": "close"}
        self._connection.request(
            "POST", self._target.path, body=body, headers=asked, preload_content=False
        )
        response = self._connection.getresponse()
        answer = Answer(response.status, response.headers.get("retry-after"))
        self._answer = answer
        try:
            # Read in any case: some receivers stop working when nobody listens.
            body = response.read(MOST_BYTES, decode_content=False)
        except Exception:
            # Whatever is wrong with the rest, such as a negative chunk size (ValueError): the
            # status says whether the message was taken.
            return answer
        return replace(answer, text=body[:MOST_LOOKED_AT].decode(errors="replace"))

    def _connect(self) -> socket.socket:
        refused: OSError = ConnectionError()
        for address in self._find(self._target):
            try:
                line = socket.create_connection((address, self._target.port), self._seconds)
            except OSError as error:
                refused = error
                continue
            self._line.hold(line)
            return line
        raise refused


def _why(error: Exception) -> str:
    """The error as text, without any part of the URL."""
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {_CERTIFICATE.get(error.verify_code, 'not trusted')}"
    return next((why for kind, why in _WHY.items() if isinstance(error, kind)), "no connection")


_CERTIFICATE: Final[Mapping[int, str]] = {
    9: "not valid yet",
    10: "expired",
    18: "self-signed",
    19: "self-signed",
    20: "its issuer is unknown",
    62: "for another host name",
    64: "for another address",
}
"""OpenSSL's X509_V_ERR codes (openssl-verification-options). Its own words quote the host name."""
_WHY: Final[Mapping[type[Exception], str]] = {
    socket.gaierror: "its name can't be resolved",
    UnicodeError: "its name can't be resolved",
    ssl.SSLError: "no TLS connection",
    ConnectionRefusedError: "no connection: refused",
    ConnectionError: "the connection broke off without an answer",
    http.client.HTTPException: "the connection broke off without an answer",
    HTTPError: "the connection broke off without an answer",
}
"""Words for errors, from the particular to the general."""
