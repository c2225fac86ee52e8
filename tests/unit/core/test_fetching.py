"""HTTP to a provider on its bad days: hanging, endless, leading elsewhere."""

from collections.abc import Iterator

import pytest
import urllib3

from milepost import fetching
from milepost.fetching import FetchFailed, ForeignHost, Patience, ProviderHttp
from milepost.provider import Response
from tests.unit.endpoints.receiver import Receiver, receiving

HURRY = Patience(connect=2.0, read=0.2, whole=5.0)
CREDENTIAL = {"authorization": "Bearer key-of-the-connection"}


@pytest.fixture
def pool() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager() as made:
        yield made


def fetch(pool: urllib3.PoolManager, receiver: Receiver, url: str | None = None) -> Response:
    http = ProviderHttp(pool, allowed=[receiver.url], patience=HURRY)
    return http.request("POST", url or receiver.url, headers=CREDENTIAL, body=b"{}")


def test_an_answer_is_handed_over_with_its_headers_in_small_letters(
    pool: urllib3.PoolManager,
) -> None:
    with receiving(headers={"Retry-After": "7"}, content=b'{"orders": []}') as receiver:
        answer = fetch(pool, receiver)
    assert (answer.status, answer.headers["retry-after"]) == (200, "7")
    assert answer.body == b'{"orders": []}'


@pytest.mark.parametrize("where", ["status", "content"])
def test_a_provider_that_hangs_is_given_up(where: str, pool: urllib3.PoolManager) -> None:
    with receiving(hang_before=where) as receiver, pytest.raises(FetchFailed):
        fetch(pool, receiver)


def test_a_provider_that_nobody_reaches_is_a_failed_fetch(pool: urllib3.PoolManager) -> None:
    with receiving() as receiver:
        pass
    with pytest.raises(FetchFailed):
        fetch(pool, receiver)


def test_of_an_endless_answer_no_more_is_read_than_a_page_may_have(
    pool: urllib3.PoolManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MOST_BYTES", 100_000)
    with receiving(content=b"x" * 50_000_000) as receiver:
        with pytest.raises(FetchFailed):
            fetch(pool, receiver)
        assert receiver.left.wait(10)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_with_credentials(
    status: int, pool: urllib3.PoolManager
) -> None:
    with receiving() as elsewhere, receiving(status=status) as receiver:
        receiver.headers = {"Location": elsewhere.url}
        assert fetch(pool, receiver).status == status
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest/meta-data", "http://localhost:1/", "https://127.0.0.1/",
     "http://127.0.0.1@evil.example/", "file:///etc/passwd", "//evil.example/"],
)  # fmt: skip
def test_a_request_leaves_the_connections_own_hosts_never(
    url: str, pool: urllib3.PoolManager
) -> None:
    with receiving() as receiver:
        with pytest.raises(ForeignHost):
            fetch(pool, receiver, url)
        assert receiver.requests == []
