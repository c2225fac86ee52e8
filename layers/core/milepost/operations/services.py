"""The services of operators, for the API and the command."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from milepost.connections.health import Contact
from milepost.connections.poll_request import PollRequest
from milepost.notifications.chat.send_test import MessageTestOutcome
from milepost.notifications.subscription import Subscription
from milepost.notifications.suppression import Suppressions
from milepost.operations.dead_letters import DeadLetterQueue
from milepost.operations.erasure.erase import Erasure
from milepost.quarantine import replay as replaying
from milepost.quarantine.replay import KeptId, Replay
from milepost.webhooks.secret_rotation import SigningSecretRotation
from milepost.webhooks.send_test import WebhookTestOutcome


class Quarantine(replaying.Quarantine, Protocol):
    """The same, from which things may also be discarded."""

    def remove(self, kept_id: KeptId) -> None: ...


class Contacts(Protocol):
    """What is known of connections' polls and webhooks."""

    def get(self, connection_id: str) -> Contact: ...
    def all(self) -> Mapping[str, Contact]: ...


class Polls(Protocol):
    """Polls outside their schedule."""

    def start(self, connection_id: str, request: PollRequest) -> None:
        """Keep the request for whoever polls next, start a poll, and don't wait for it."""
        ...


class Subscriptions(Protocol):
    """Who is notified of what."""

    def all(self) -> Sequence[Subscription]: ...
    def get(self, subscription_id: str) -> Subscription | None: ...

    def put(self, subscription: Subscription) -> None:
        """Keep it; its outcome meanwhile (ended, failing) stays as it is."""
        ...

    def change(self, subscription: Subscription, *, instead_of: Subscription) -> bool:
        """Keep it in place of what was read; False when that is there no longer."""
        ...

    def resume(self, subscription_id: str, *, ended: str | None) -> bool:
        """Reactivate one that had ended, as it was read, for this reason; False when it is gone or
        has ended for another reason since."""
        ...

    def end(self, subscription_id: str, *, reason: str) -> None:
        """End it for a reason in words, unless it has ended or is gone."""
        ...

    def delete(self, subscription_id: str) -> None: ...


class EndpointSecrets(Protocol):
    def keep(self, subscription_id: str, address: str) -> None:
        """Store the address of a chat's webhook, unless there is one."""
        ...

    """What messages to endpoints are signed with."""

    def make(self, subscription_id: str) -> str:
        """The secret of a new subscription; made again, it is the one that was made."""
        ...

    def rotate(
        self, subscription_id: str, *, now: datetime, keep_for: timedelta, request: str
    ) -> tuple[str, datetime | None] | None:
        """A new secret, and until when the one before it signs as well; None without one.

        :param request: an id of this request: repeated, it makes no other
        """
        ...

    def drop(self, subscription_id: str) -> None: ...


class WebhookTests(Protocol):
    """Test webhooks, which show whether a connection's webhooks arrive."""

    def run(self, connection_id: str, *, patience: float) -> WebhookTestOutcome:
        """Send one, and look for it for ``patience`` seconds.

        :raises NoSigningSecret: when the connection has no signing secret
        :raises NoSecret: when it can't be used to sign
        """
        ...


class MessageTests(Protocol):
    """Test messages to addresses, endpoints and chats."""

    def run(self, subscription: Subscription, *, now: datetime) -> MessageTestOutcome:
        """:raises NoSecret: when an endpoint has no usable secret, or a chat no address"""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """All of it, behind one name."""

    quarantine: Quarantine
    replay: Replay
    dead_letters: Sequence[DeadLetterQueue]
    erasure: Erasure
    contacts: Contacts
    polls: Polls
    subscriptions: Subscriptions
    suppressions: Suppressions
    endpoint_secrets: EndpointSecrets
    message_tests: MessageTests
    signing_secrets: SigningSecretRotation
    webhook_tests: WebhookTests
    allow_private_endpoints: bool = False

    def dead_letter_queue(self, name: str) -> DeadLetterQueue | None:
        return next((one for one in self.dead_letters if one.name == name), None)
