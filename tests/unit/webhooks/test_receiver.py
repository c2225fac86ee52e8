"""A webhook's way in: what is answered, and what is in the inbox afterwards."""

from dataclasses import dataclass, field

import pytest

from milepost.webhooks.receiver import (
    MOST_BYTES,
    RETRY_AFTER_SECONDS,
    Answer,
    InboxRefused,
    Request,
    SecretStoreDown,
    Signing,
    UnknownWebhook,
    receive,
)
from milepost.webhooks.signature_schemes import STANDARD_WEBHOOKS
from tests.signing import OTHER_SECRET, SECRET, standard_headers

NOW = 1_772_446_200.5
BODY = b'{"event":"order.status_changed"}'


@dataclass
class Secrets:
    """A store whose content changes when it is read again."""

    known: dict[str, tuple[str, ...]]
    after_refresh: dict[str, tuple[str, ...]] | None = None
    down: bool = False
    refreshed: int = 0

    def get(self, connection_id: str, *, now: float) -> Signing:
        if self.down:
            raise SecretStoreDown
        if connection_id not in self.known:
            raise UnknownWebhook
        return Signing(STANDARD_WEBHOOKS, self.known[connection_id])

    def refresh(self, *, now: float) -> bool:
        self.refreshed += 1
        if self.after_refresh is None:
            return False
        self.known, self.after_refresh = self.after_refresh, None
        return True


@dataclass
class Inbox:
    taken: list[tuple[str, str, bytes]] = field(default_factory=list)
    refuses: bool = False

    def put(self, *, connection_id: str, delivery_id: str, body: bytes, now: float) -> None:
        if self.refuses:
            raise InboxRefused
        self.taken.append((connection_id, delivery_id, body))


def deliver(
    secrets: Secrets,
    inbox: Inbox,
    *,
    body: bytes = BODY,
    connection: str = "offergrid-home",
    method: str = "POST",
    headers: dict[str, str] | None = None,
) -> Answer:
    signed = headers if headers is not None else standard_headers(body, timestamp=int(NOW))
    request = Request(method, connection, signed, body)
    return receive(request, secrets=secrets, inbox=inbox, now=NOW)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def secrets() -> Secrets:
    return Secrets({"offergrid-home": (SECRET,), "offergrid-business": (OTHER_SECRET,)})


def test_what_is_accepted_is_in_the_inbox(secrets: Secrets, inbox: Inbox) -> None:
    assert deliver(secrets, inbox).status == 202
    assert inbox.taken == [("offergrid-home", "msg_2Kq", BODY)]


def test_all_refusals_of_a_signature_look_the_same(secrets: Secrets, inbox: Inbox) -> None:
    good = standard_headers(BODY, timestamp=int(NOW))
    answers = {
        str(deliver(secrets, inbox, headers=headers))
        for headers in (
            {},
            {**good, "webhook-id": "a.b"},
            {**good, "webhook-timestamp": "0"},
            {**good, "webhook-signature": "v1,AAAA"},
        )
    }
    assert len(answers) == 1
    assert "401" in answers.pop()
    assert inbox.taken == []


def test_one_connections_secret_does_not_open_another(secrets: Secrets, inbox: Inbox) -> None:
    assert deliver(secrets, inbox, connection="offergrid-business").status == 401
    assert inbox.taken == []


def test_an_unknown_connection_is_not_found(secrets: Secrets, inbox: Inbox) -> None:
    assert deliver(secrets, inbox, connection="nobody").status == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_only_posts_are_taken(method: str, secrets: Secrets, inbox: Inbox) -> None:
    answer = deliver(secrets, inbox, method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_the_largest_body_is_taken_and_one_byte_more_is_not(secrets: Secrets, inbox: Inbox) -> None:
    assert deliver(secrets, inbox, body=b"x" * MOST_BYTES).status == 202
    assert deliver(secrets, inbox, body=b"x" * (MOST_BYTES + 1)).status == 413
    assert len(inbox.taken) == 1


def test_a_connection_without_a_secret_is_closed(inbox: Inbox) -> None:
    answer = deliver(Secrets({"offergrid-home": ()}), inbox)
    assert (answer.status, answer.headers["retry-after"]) == (503, str(RETRY_AFTER_SECONDS))
    assert inbox.taken == []


def test_when_the_secret_store_is_down_nothing_is_let_in(secrets: Secrets, inbox: Inbox) -> None:
    secrets.down = True
    answer = deliver(secrets, inbox)
    assert (answer.status, "retry-after" in answer.headers) == (503, True)
    assert inbox.taken == []


def test_when_the_queue_refuses_the_provider_is_asked_to_try_again(secrets: Secrets) -> None:
    answer = deliver(secrets, Inbox(refuses=True))
    assert (answer.status, "retry-after" in answer.headers) == (503, True)


def test_a_rotation_a_moment_ago_costs_no_delivery(inbox: Inbox) -> None:
    secrets = Secrets(
        {"offergrid-home": (OTHER_SECRET,)}, after_refresh={"offergrid-home": (SECRET,)}
    )
    assert deliver(secrets, inbox).status == 202


def test_a_connection_applied_a_moment_ago_costs_no_delivery(inbox: Inbox) -> None:
    secrets = Secrets({}, after_refresh={"offergrid-home": (SECRET,)})
    assert deliver(secrets, inbox).status == 202


def test_a_good_signature_asks_for_no_refresh(secrets: Secrets, inbox: Inbox) -> None:
    deliver(secrets, inbox)
    assert secrets.refreshed == 0
