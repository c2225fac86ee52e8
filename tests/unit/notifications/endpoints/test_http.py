"""Calls of real servers on this machine."""

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from milepost.notifications.endpoints.aws.http import EndpointHttp
from milepost.notifications.endpoints.delivery import NoAnswer
from milepost.notifications.endpoints.retry_policy import Answer
from tests.unit.notifications.endpoints.receiver import make_certificate, receiving

HEADERS = {"content-type": "application/json", "webhook-id": "msg_1"}
QUICKLY = 0.4


def http(**changes: object) -> EndpointHttp:
    return EndpointHttp(**{"allow_private": True, "seconds": 10.0, **changes})  # type: ignore[arg-type]


def post(client: EndpointHttp, url: str) -> Answer:
    return client.post(url, headers=HEADERS, body=b'{"kind":"accepted"}')


def why_not(client: EndpointHttp, url: str) -> str:
    with pytest.raises(NoAnswer) as caught:
        post(client, url)
    return str(caught.value)


def to_loopback(_host: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


def test_the_body_arrives_byte_for_byte_with_its_headers() -> None:
    with receiving(status=202) as receiver:
        assert post(http(), receiver.url) == Answer(202)
    (request,) = receiver.requests
    assert request.body == b'{"kind":"accepted"}'
    assert request.path == "/hooks/orders?key=secret-in-the-url"
    assert request.headers["webhook-id"] == "msg_1"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_an_error_is_an_answer_and_says_when_to_come_back() -> None:
    with receiving(status=503, headers={"Retry-After": "120"}) as receiver:
        assert post(http(), receiver.url) == Answer(503, "120")


@pytest.mark.parametrize("interim", [(100,), (102,), (103,), (100, 102, 103, 103), (199,)])
@pytest.mark.parametrize("status", [204, 410, 500])
def test_an_interim_response_is_not_the_answer(interim: tuple[int, ...], status: int) -> None:
    with receiving(interim=interim, status=status, content=b"") as receiver:
        assert post(http(), receiver.url) == Answer(status)
    assert len(receiver.requests) == 1


def test_an_endpoint_that_only_ever_says_wait_has_not_answered() -> None:
    with receiving(interim=(103,) * 200) as receiver:
        why = why_not(http(), receiver.url)
    assert why == "the connection broke off without an answer"


def test_switching_protocols_is_an_answer_and_no_success() -> None:
    with receiving(interim=(101,)) as receiver:
        assert post(http(), receiver.url).status == 101


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with receiving() as other, receiving(status=status, headers={"Location": other.url}) as first:
        assert post(http(), first.url).status == status
    assert len(first.requests) == 1
    assert other.requests == []


def test_the_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy, receiving() as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        post(http(), receiver.url)
    assert proxy.requests == []
    assert len(receiver.requests) == 1


def test_the_host_is_resolved_once_and_what_was_checked_is_called() -> None:
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])

    def rebinding(_host: str, _port: int) -> Sequence[str]:
        return next(answers)

    with receiving() as receiver:
        url = f"http://rebinding.example:{receiver.port}/"
        assert post(http(resolve=rebinding), url).status == 200
        assert next(answers) == ["169.254.169.254"]
    assert receiver.requests[0].headers["host"] == f"rebinding.example:{receiver.port}"


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (["127.0.0.1"], "refused: loopback address"),
        (["8.8.8.8", "10.0.0.7"], "refused: private address"),
        (["::ffff:127.0.0.1"], "refused: loopback address"),
        (["169.254.169.254"], "refused: metadata address"),
        ([], "refused: its name has no address"),
    ],
)
def test_a_name_that_leads_inside_is_not_connected_to(found: list[str], why: str) -> None:
    with receiving() as receiver:
        url = f"https://inside.example:{receiver.port}/"
        client = http(allow_private=False, resolve=lambda _host, _port: found)
        assert why_not(client, url) == why
    assert receiver.requests == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0", "[::1]",
             "[::ffff:127.0.0.1]", "[::]"],
)  # fmt: skip
def test_however_loopback_is_written_it_is_refused(host: str) -> None:
    why = why_not(http(allow_private=False), f"https://{host}:1/")
    # A resolver that doesn't know the older spellings is as good.
    known = {"refused: loopback address", "refused: reserved address"}
    assert why in {*known, "its name can't be resolved"}


def test_http_is_refused_away_from_the_local_stack() -> None:
    with receiving() as receiver:
        assert why_not(http(allow_private=False), receiver.url) == "refused: not https"


def test_the_next_address_is_tried_when_one_takes_no_connection() -> None:
    with receiving() as receiver:
        client = http(resolve=lambda _host, _port: ["127.0.0.2", "127.0.0.1", "::1"])
        assert post(client, f"http://two.example:{receiver.port}/").status == 200
    assert len(receiver.requests) == 1


def test_nobody_listens() -> None:
    with receiving() as receiver:
        url = receiver.url
    assert why_not(http(), url) == "no connection: refused"


def test_a_name_that_nobody_knows() -> None:
    assert why_not(http(), "https://nobody.invalid/") == "its name can't be resolved"


def test_tls_is_verified_against_the_name_not_the_address(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path / "good.pem", "hooks.example.com")
    with receiving(certificate) as receiver:
        client = http(resolve=to_loopback, tls=trusting(certificate))
        answer = post(client, f"https://hooks.example.com:{receiver.port}/x?y=1")
    assert answer.status == 200
    assert receiver.requests[0].path == "/x?y=1"


def test_an_endpoint_that_is_an_address_is_verified_too(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path / "ip.pem", "127.0.0.1")
    with receiving(certificate) as receiver:
        client = http(tls=trusting(certificate))
        assert post(client, f"https://127.0.0.1:{receiver.port}/").status == 200


@pytest.mark.parametrize(
    ("name", "days", "trusted"),
    [("other.example.com", 1, True), ("hooks.example.com", -1, True),
     ("hooks.example.com", 1, False)],
    ids=["another name", "expired", "unknown issuer"],
)  # fmt: skip
def test_a_bad_certificate_gets_no_message(
    name: str, days: int, trusted: bool, tmp_path: Path
) -> None:
    certificate = make_certificate(tmp_path / "bad.pem", name, days=days)
    tls = trusting(certificate) if trusted else None
    with receiving(certificate) as receiver:
        url = f"https://hooks.example.com:{receiver.port}/"
        why = why_not(http(resolve=to_loopback, tls=tls), url)
    assert why.startswith("its certificate is not valid: ")
    assert receiver.requests == []


def test_a_server_without_tls_gets_no_message() -> None:
    with receiving() as receiver:
        why = why_not(http(resolve=to_loopback), f"https://hooks.example.com:{receiver.port}/")
    assert why in {"no TLS connection", "the connection broke off without an answer"}
    assert receiver.requests == []


def test_an_endpoint_that_never_answers_is_left_in_time() -> None:
    with receiving(hang_before="status") as receiver:
        started = monotonic()
        assert why_not(http(seconds=QUICKLY), receiver.url) == "no answer in 0.4 s"
        assert monotonic() - started < 5


def test_an_endpoint_that_dribbles_is_left_in_time_and_hung_up_on() -> None:
    with receiving(dribbles="header") as receiver:
        assert why_not(http(seconds=QUICKLY), receiver.url) == "no answer in 0.4 s"
        assert receiver.left.wait(10)


def test_a_tls_greeting_that_never_ends_is_left_in_time() -> None:
    """The server's port takes connections, but nobody greets."""
    with _mute_server() as port:
        why = why_not(http(seconds=QUICKLY, resolve=to_loopback), f"https://mute.example:{port}/")
    assert why == "no answer in 0.4 s"


def test_a_resolver_that_hangs_is_left_in_time() -> None:
    over = threading.Event()

    def hanging(_host: str, _port: int) -> Sequence[str]:
        over.wait(20)
        return []

    try:
        client = http(seconds=QUICKLY, resolve=hanging)
        assert why_not(client, "https://hooks.example.com/") == "no answer in 0.4 s"
    finally:
        over.set()


def test_a_status_counts_even_if_the_rest_never_comes() -> None:
    with receiving(hang_before="content") as receiver:
        assert post(http(seconds=2.0), receiver.url).status == 200


@pytest.mark.parametrize(
    "rest",
    [
        b"transfer-encoding: chunked\r\n\r\n-5\r\nabc",
        b"transfer-encoding: chunked\r\n\r\nzz\r\nabc",
        b"content-length: 500\r\n\r\nabc",
        b"content-encoding: gzip\r\n\r\nabc",
    ],
)
def test_a_status_counts_even_if_the_rest_makes_no_sense(rest: bytes) -> None:
    """Otherwise an endpoint that has taken a message gets it nine more times."""
    with _answering(b"HTTP/1.1 200 OK\r\n" + rest) as port:
        assert post(http(), f"http://127.0.0.1:{port}/").status == 200


def test_of_an_endless_answer_no_more_than_64_kilobytes_are_read() -> None:
    with receiving(content=b"x" * 50_000_000) as receiver:
        assert post(http(), receiver.url).status == 200
        assert receiver.left.wait(10)


def test_no_thread_is_left_behind() -> None:
    with receiving(hang_before="status") as receiver:
        before = set(threading.enumerate())
        why_not(http(seconds=QUICKLY), receiver.url)
        for thread in set(threading.enumerate()) - before:
            if "_work" in thread.name:
                thread.join(10)
                assert not thread.is_alive()


@contextmanager
def _mute_server() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextmanager
def _answering(raw: bytes) -> Iterator[int]:
    """A server that answers one request with these bytes, whether they are HTTP or not."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            line, _ = server.accept()
            with line:
                line.recv(65536)
                line.sendall(raw)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)
