"""A signing secret is rotated while events come in: none is refused, and the old one ends."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from milepost.webhooks.aws.secrets import REFRESH_SECONDS
from milepost.webhooks.signatures import make_signing_secret
from tests.e2e.conftest import HOME, Client, status_changed, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.thorough]

A_MINUTE = 60.0
"""Longer than it takes a door to read its secrets again."""
SOME = 5


@dataclass
class Sender:
    """Sends one event after the other, signed by the secret of the moment."""

    client: Client
    connection: str
    secret: str
    answers: list[tuple[str, int]] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.stopped.is_set():
            secret = self.secret
            self.answers.append((secret, self.send(secret)))

    def send(self, secret: str) -> int:
        event = status_changed(self.client.new_id("rotating"), "pending")
        return self.client.try_to_send(self.connection, event, secret=secret)

    def accepted_since(self, count: int, secret: str) -> bool:
        """Whether enough were sent with a secret since then."""
        return len([one for one, _ in self.answers[count:] if one == secret]) >= SOME


@contextmanager
def sending(client: Client, connection: str, secret: str) -> Iterator[Sender]:
    sender = Sender(client, connection, secret)
    thread = threading.Thread(target=sender.run)
    thread.start()
    try:
        yield sender
    finally:
        sender.stopped.set()
        thread.join()


@pytest.fixture
def rotating(client: Client) -> Iterator[tuple[str, str]]:
    """A connection of this test alone, which is accepted, and its signing secret."""
    name = f"offergrid-turn-{uuid4().hex[:6]}"
    known, secret = client.connections[HOME], make_signing_secret("standard-webhooks")
    done = client.apply(f"""
connections:
  - id: {name}
    provider: offergrid
    base_url: {known["sandbox_url"]}
    poll: "off"
    credentials: {{api_key: none}}
    signing: {{secrets: ["{secret}"]}}
""")
    assert done.returncode == 0, done.stdout + done.stderr
    url = known["webhook_url"].replace(HOME, name)
    client.connections[name] = {
        **known,
        "webhook_url": url,
        "signing": {"scheme": "standard-webhooks", "secret": secret},
    }
    probe = status_changed(client.new_id("probe"), "pending")
    wait_for(
        lambda: client.try_to_send(name, probe) == 202,
        what=f"{name} to be accepted",
        seconds=A_MINUTE,
    )
    yield name, secret
    del client.connections[name]


def rotate(client: Client, connection: str, *more: str) -> str:
    """Rotate as an operator does; what is printed, which is the new secret."""
    arguments = ("rotate", connection, "--stack", client.stack.stack_name, *more)
    done = client.run("connections", "secret", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_a_rotation_refuses_no_event_and_ends_the_old_secret(
    client: Client, rotating: tuple[str, str]
) -> None:
    connection, old = rotating
    with sending(client, connection, old) as sender:
        wait_for(lambda: sender.accepted_since(0, old), what="events by the old secret")
        new = rotate(client, connection)
        rotated = len(sender.answers)
        wait_for(lambda: sender.accepted_since(rotated, old), what="more by the old one")
        # Until then a door may have read its secrets too lately to do so again.
        half_a_minute_later = time.monotonic() + REFRESH_SECONDS
        wait_for(
            lambda: time.monotonic() > half_a_minute_later,
            what="the provider to be given the new one, as the command says",
            seconds=A_MINUTE,
        )
        sender.secret = new
        turned = len(sender.answers)
        wait_for(lambda: sender.accepted_since(turned, new), what="events by the new secret")
        assert sender.send(old) == 202, "both are active until the old one is ended"
        rotate(client, connection, "--finish", "--yes")
        # A wrong signature has the secrets read again, and then the old one opens nothing.
        wrong = make_signing_secret("standard-webhooks")
        wait_for(
            lambda: {sender.send(wrong), sender.send(old)} == {401},
            what="the old one to end",
            seconds=A_MINUTE,
        )
        ended = len(sender.answers)
        wait_for(lambda: sender.accepted_since(ended, new), what="more by the new secret")
    assert {status for _, status in sender.answers} == {202}
    assert {secret for secret, _ in sender.answers} == {old, new}
