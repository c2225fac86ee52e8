"""HTTP to a provider on its bad days: hanging, endless, leading elsewhere."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

import pytest

from milepost.providers import http as fetching
from milepost.providers.base import Response
from milepost.providers.http import FetchFailed, ForeignHost, Patience, ProviderHttp, ProviderPool
from tests.unit.notifications.endpoints.receiver import Receiver, make_certificate, receiving

PATIENT = Patience(connect=60.0, read=60.0, whole=60.0)
HURRY = Patience(connect=60.0, read=0.2, whole=60.0)
"""Only where the answer doesn't come: a slow machine takes longer than that to answer."""
CREDENTIAL = {"authorization": "Bearer key-of-the-connection"}


@pytest.fixture
def pool() -> Iterator[ProviderPool]:
    with ProviderPool() as made:
        yield made


def fetch(
    pool: ProviderPool, receiver: Receiver, url: str | None = None, *, patience: Patience = PATIENT
) -> Response:
    http = ProviderHttp(pool, allowed=[receiver.url], patience=patience)
    return http.request("POST", url or receiver.url, headers=CREDENTIAL, body=b"{}")


def test_an_answer_is_handed_over_with_its_headers_in_small_letters(
    pool: ProviderPool,
) -> None:
    with receiving(headers={"Retry-After": "7"}, content=b'{"orders": []}') as receiver:
        answer = fetch(pool, receiver)
    assert (answer.status, answer.headers["retry-after"]) == (200, "7")
    assert answer.body == b'{"orders": []}'


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("", "/"),
        ("?cursor=a%2Fb", "/?cursor=a%2Fb"),
        ("/orders", "/orders"),
        ("/orders?limit=100&cursor=", "/orders?limit=100&cursor="),
        ("//evil.example/orders?to=//evil.example", "//evil.example/orders?to=//evil.example"),
        ("/orders/http%3A%2F%2Fevil.example?a=b?c#d", "/orders/http%3A%2F%2Fevil.example?a=b?c"),
        ("/aufträge?q=ü", "/auftr%C3%A4ge?q=%C3%BC"),
    ],
)  # fmt: skip
def test_a_request_asks_its_own_host_for_the_path_and_query_of_its_url(
    written: str, sent: str, pool: ProviderPool
) -> None:
    with receiving() as receiver:
        assert fetch(pool, receiver, f"http://127.0.0.1:{receiver.port}{written}").status == 200
    (request,) = receiver.requests
    # The server of the standard library shortens slashes at the beginning of a path.
    assert request.path == sent.replace("//evil", "/evil", 1)
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_the_requests_of_a_poll_go_over_one_connection(pool: ProviderPool) -> None:
    with receiving(keeps_alive=True) as receiver:
        http = ProviderHttp(pool, allowed=[receiver.url], patience=PATIENT)
        for number in range(5):
            http.request("POST", f"{receiver.url}&page={number}", headers=CREDENTIAL, body=b"{}")
        pool.clear()
    assert len(receiver.requests) == 5
    assert len({one.sender for one in receiver.requests}) == 1


def test_a_body_of_many_reads_is_whole(pool: ProviderPool) -> None:
    content = os.urandom(3_000_001)
    with receiving(content=content) as receiver:
        assert fetch(pool, receiver).body == content


@pytest.mark.parametrize("where", ["status", "content"])
def test_a_provider_that_hangs_is_given_up(where: str, pool: ProviderPool) -> None:
    with receiving(hang_before=where) as receiver, pytest.raises(FetchFailed):
        fetch(pool, receiver, patience=HURRY)


@pytest.mark.parametrize("what", ["header", "content", "content without a length"])
def test_a_provider_that_dribbles_is_given_up_and_hung_up_on(what: str, pool: ProviderPool) -> None:
    impatient = Patience(connect=60.0, read=60.0, whole=0.3)
    with receiving(dribbles=what) as receiver:
        with pytest.raises(FetchFailed, match=r"no whole answer in 0\.3 s"):
            fetch(pool, receiver, patience=impatient)
        assert receiver.left.wait(10)


def test_the_next_answer_of_a_provider_that_dribbled_is_whole(pool: ProviderPool) -> None:
    impatient = Patience(connect=60.0, read=60.0, whole=0.3)
    with receiving(dribbles="header") as receiver:
        with pytest.raises(FetchFailed):
            fetch(pool, receiver, patience=impatient)
        receiver.dribbles = ""
        for _ in range(2):
            assert fetch(pool, receiver).body == b"thanks"


def test_by_tls_it_is_hung_up_on_as_well(pool: ProviderPool, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path / "receiver.pem", "127.0.0.1")
    pool.connection_pool_kw["ca_certs"] = str(certificate)
    impatient = Patience(connect=60.0, read=60.0, whole=0.3)
    with receiving(certificate, dribbles="header") as receiver:
        url = receiver.url.replace("http:", "https:")
        http = ProviderHttp(pool, allowed=[url], patience=impatient)
        with pytest.raises(FetchFailed, match="no whole answer"):
            http.request("POST", url, headers={}, body=b"{}")
        assert receiver.left.wait(10)
        receiver.dribbles = ""
        http = ProviderHttp(pool, allowed=[url], patience=PATIENT)
        assert http.request("POST", url, headers={}, body=b"{}").body == b"thanks"


@pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="what is open is counted in Linux's /proc/self/fd"
)
def test_no_line_is_left_behind(pool: ProviderPool) -> None:
    with receiving() as receiver:
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            fetch(pool, receiver)
        assert len(os.listdir("/proc/self/fd")) <= before + 2  # Ours and the receiver's end.


def test_a_provider_that_nobody_reaches_is_a_failed_fetch(pool: ProviderPool) -> None:
    with receiving() as receiver:
        pass
    with pytest.raises(FetchFailed):
        fetch(pool, receiver)


def test_of_an_endless_answer_no_more_is_read_than_a_page_may_have(
    pool: ProviderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MOST_BYTES", 100_000)
    with receiving(content=b"x" * 50_000_000) as receiver:
        with pytest.raises(FetchFailed):
            fetch(pool, receiver)
        assert receiver.left.wait(10)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_with_credentials(status: int, pool: ProviderPool) -> None:
    with receiving() as elsewhere, receiving(status=status) as receiver:
        receiver.headers = {"Location": elsewhere.url}
        assert fetch(pool, receiver).status == status
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest/meta-data", "http://localhost:1/", "https://127.0.0.1/",
     "http://127.0.0.1@evil.example/", "file:///etc/passwd", "//evil.example/"],
)  # fmt: skip
def test_a_request_leaves_the_connections_own_hosts_never(url: str, pool: ProviderPool) -> None:
    with receiving() as receiver:
        with pytest.raises(ForeignHost):
            fetch(pool, receiver, url)
        assert receiver.requests == []


HOSTILE_ANSWERS = {
    "a negative chunk size": b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
    "a chunk size that is no number": b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
    "a chunk that ends early": b"Transfer-Encoding: chunked\r\n\r\n50\r\nhello",
    "a length that is negative": b"Content-Length: -7\r\n\r\nhello",
    "two lengths that differ": b"Content-Length: 5\r\nContent-Length: 7\r\n\r\nhello",
    "a body that ends early": b"Content-Length: 50\r\n\r\nhello",
    "no gzip": b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
    "a header line of 70,000 bytes": b"X: " + b"x" * 70_000 + b"\r\n\r\n",
    "a thousand headers": b"X: y\r\n" * 1_000 + b"\r\n",
}


@pytest.mark.parametrize("answer", HOSTILE_ANSWERS.values(), ids=HOSTILE_ANSWERS)
def test_an_answer_that_breaks_http_is_no_answer_or_a_whole_one(
    answer: bytes, pool: ProviderPool
) -> None:
    with raw_server(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + answer) as url:
        http = ProviderHttp(pool, allowed=[url], patience=PATIENT)
        with suppress(FetchFailed):
            assert http.request("GET", url, headers=CREDENTIAL).body in (b"hello", b"")


@pytest.mark.parametrize(
    "status_line", [b"", b"HTTP/9.9 abc\r\n", b"\x00\xff" * 50, b"HTTP/1.1 -5 x"]
)
def test_a_status_line_that_is_none_is_no_answer(status_line: bytes, pool: ProviderPool) -> None:
    with raw_server(status_line) as url:
        http = ProviderHttp(pool, allowed=[url], patience=PATIENT)
        with pytest.raises(FetchFailed, match="no answer"):
            http.request("GET", url, headers=CREDENTIAL)


@pytest.mark.parametrize("secret", ["a\nb", "a\r\nX: y", "a\x00b", "a\x7fb", "a\u2013b", "\ud800"])
def test_a_secret_that_cannot_be_a_header_is_named_without_its_contents(
    secret: str, pool: ProviderPool
) -> None:
    http = ProviderHttp(pool, allowed=["http://127.0.0.1:9"], patience=PATIENT)
    with pytest.raises(FetchFailed, match="can't be sent as a header") as raised:
        http.request("GET", "http://127.0.0.1:9/", headers={"x-api-key": secret})
    assert secret not in str(raised.value)


@contextmanager
def raw_server(answer: bytes) -> Iterator[str]:
    """Answers one connection after the other with these bytes, then hangs up."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65_536)
            self.request.sendall(answer)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
