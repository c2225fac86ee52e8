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
    """The same, with the option to discard entries."""

    def remove(self, kept_id: KeptId) -> None: ...


class Contacts(Protocol):
    """The status of connections' polls and webhooks."""

    def get(self, connection_id: str) -> Contact: ...
    def all(self) -> Mapping[str, Contact]: ...


class Polls(Protocol):
    """Polls outside their schedule."""

    def start(self, connection_id: str, request: PollRequest) -> None:
        """Store the request for the next poll, start a poll, and don't wait for it."""
        ...


class Subscriptions(Protocol):
    """Subscriptions: who is notified of what."""

    def all(self) -> Sequence[Subscription]: ...
    def get(self, subscription_id: str) -> Subscription | None: ...

    def put(self, subscription: Subscription) -> None:
        """Store the subscription; if it has ended or its endpoint is failing, that stays
        unchanged."""
        ...

    def change(self, subscription: Subscription, *, instead_of: Subscription) -> bool:
        """Replace the version that was read; False if it was deleted or has another recipient
        since.
        """
        ...

    def resume(self, subscription_id: str, *, ended: str | None) -> bool:
        """Reactivate a subscription that had ended for this reason when it was read; False if it is
        deleted or has ended for another reason since."""
        ...

    def end(self, subscription_id: str, *, reason: str) -> None:
        """End the subscription with a reason as text, unless it has ended or is deleted."""
        ...

    def delete(self, subscription_id: str) -> None: ...


class EndpointSecrets(Protocol):
    """The secrets with which messages to endpoints are signed, and the addresses of chats."""

    def keep(self, subscription_id: str, address: str) -> None:
        """Store the address of a chat's webhook, unless one is stored already."""
        ...

    def make(self, subscription_id: str) -> str:
        """The secret of a new subscription; repeated calls return the same secret."""
        ...

    def rotate(
        self, subscription_id: str, *, now: datetime, keep_for: timedelta, request: str
    ) -> tuple[str, datetime | None] | None:
        """Create a new secret. Also returns the time until which the previous secret is still used
        to sign. None if there is no secret.

        :param request: an id of this request: repeated, it makes no other
        """
        ...

    def drop(self, subscription_id: str) -> None: ...


class WebhookTests(Protocol):
    """Test webhooks, to check whether a connection's webhooks arrive."""

    def run(self, connection_id: str, *, patience: float) -> WebhookTestOutcome:
        """Send a test webhook, and wait up to ``patience`` seconds for it to arrive.

        :raises NoSigningSecret: when the connection has no signing secret
        :raises NoSecret: when it can't be used to sign
        """
        ...


class MessageTests(Protocol):
    """Test messages to addresses, endpoints and chats."""

    def run(self, subscription: Subscription, *, now: datetime) -> MessageTestOutcome:
        """:raises NoSecret: if an endpoint has no usable secret, or a chat has no address"""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """All services of operators, in one object."""

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
