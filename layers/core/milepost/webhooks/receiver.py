"""Receives a webhook: verifies the raw bytes, sends them to the inbox, responds.

Nothing is parsed here. After a 2xx response, the delivery is in the inbox.
Ids of deliveries are not remembered: a repeated webhook is recognized by its content and time, when
its report is recorded (``orders.recording``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from milepost.webhooks.signature_schemes import BadScheme, SignatureScheme, read_scheme
from milepost.webhooks.signatures import BadSignature, NoSecret, answer_challenge, verify

MOST_BYTES: Final = 512 * 1024
"""The largest accepted body: in base64 and with its envelope it fits an SQS message of 1 MiB."""
RETRY_AFTER_SECONDS: Final = 30


class UnknownWebhook(LookupError):
    """No connection with this id receives webhooks."""


class SecretStoreDown(Exception):
    """The signing secrets can't be read, so nothing can be accepted."""


class InboxRefused(Exception):
    """The queue did not accept the delivery; the provider has to retry."""


@dataclass(frozen=True, slots=True)
class Signing:
    """How a connection's webhooks are signed: the scheme and all valid secrets."""

    scheme: str | SignatureScheme
    secrets: tuple[str, ...]

    @classmethod
    def read(cls, entry: object) -> "Signing":
        """Parse a stored entry; an invalid one has no secrets, so it accepts nothing.

        Its scheme is a name, or the parameters of a declared provider's scheme.
        """
        if isinstance(entry, dict):
            scheme, secrets = entry.get("scheme"), entry.get("secrets")
            if isinstance(secrets, list):
                if isinstance(scheme, str):
                    return cls(scheme, tuple(secrets))
                try:
                    return cls(read_scheme(scheme), tuple(secrets))
                except (BadScheme, TypeError):
                    return cls("", ())
        return cls("", ())


class SigningSecrets(Protocol):
    """Where signing secrets are stored."""

    def get(self, connection_id: str, *, now: float) -> Signing:
        """:raises UnknownWebhook: for a connection without webhooks
        :raises SecretStoreDown: when they can't be read"""
        ...

    def refresh(self, *, now: float) -> bool:
        """Read the secrets again, unless they were read very recently; returns whether they were
        read."""
        ...


class Inbox(Protocol):
    """The queue of accepted deliveries."""

    def put(self, *, connection_id: str, delivery_id: str, body: bytes, now: float) -> None:
        """:raises InboxRefused: if the queue did not accept the delivery"""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """A request as received, with its body as raw bytes."""

    method: str
    connection_id: str
    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """The response to the provider; ``reason`` is only logged."""

    status: int
    message: str
    reason: str
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None
    """A plain-text body that replaces the message."""


ACCEPTED: Final = Answer(202, "accepted", "accepted")
_USE_POST: Final = Answer(405, "use POST", "method", {"allow": "POST"})
FOUND: Final = frozenset({"accepted", "challenge", "bad_signature", "no_secret", "inbox_refused"})
"""Reasons that only occur if the connection exists."""
_UNAVAILABLE: Final = {"retry-after": str(RETRY_AFTER_SECONDS)}
_REFUSALS: Final[Mapping[type[Exception], Answer]] = {
    UnknownWebhook: Answer(404, "no such connection", "unknown_connection"),
    BadSignature: Answer(401, "unauthorized", "bad_signature"),
    NoSecret: Answer(503, "try again later", "no_secret", _UNAVAILABLE),
    SecretStoreDown: Answer(503, "try again later", "secret_store_down", _UNAVAILABLE),
    InboxRefused: Answer(503, "try again later", "inbox_refused", _UNAVAILABLE),
}


def receive(request: Request, *, secrets: SigningSecrets, inbox: Inbox, now: float) -> Answer:
    """Accept a delivery, or refuse it with a reason. ``now`` is in seconds since the epoch."""
    if request.method == "GET" and request.query:
        return _answer_challenge(request, secrets, now)
    if request.method != "POST":
        return _USE_POST
    if len(request.body) > MOST_BYTES:
        return Answer(413, f"the body is larger than {MOST_BYTES} bytes", "too_large")
    try:
        delivery_id = _verify(request, secrets, now)
        inbox.put(
            connection_id=request.connection_id,
            delivery_id=delivery_id,
            body=request.body,
            now=now,
        )
    except tuple(_REFUSALS) as refusal:
        return _REFUSALS[type(refusal)]
    return ACCEPTED


def _answer_challenge(request: Request, secrets: SigningSecrets, now: float) -> Answer:
    """Respond to a provider's challenge, which it sends to verify the URL before it sends webhooks.

    Any other request gets the same response as every request that isn't POST.
    """
    try:
        signing = secrets.get(request.connection_id, now=now)
        said = answer_challenge(signing.scheme, query=request.query, secrets=signing.secrets)
    except SecretStoreDown:
        return _REFUSALS[SecretStoreDown]
    except (UnknownWebhook, BadSignature, NoSecret):
        return _USE_POST
    return Answer(200, "challenge", "challenge", text=said)


def _verify(request: Request, secrets: SigningSecrets, now: float) -> str:
    """Verify a delivery and return its id. Before a refusal, the secrets are read again.

    No delivery may be lost because a secret was just rotated or a connection just added.
    """
    try:
        return _verify_once(request, secrets, now)
    except (UnknownWebhook, BadSignature, NoSecret):
        if not secrets.refresh(now=now):
            raise
        return _verify_once(request, secrets, now)


def _verify_once(request: Request, secrets: SigningSecrets, now: float) -> str:
    signing = secrets.get(request.connection_id, now=now)
    return verify(
        signing.scheme,
        headers=request.headers,
        body=request.body,
        secrets=signing.secrets,
        now=now,
    )
