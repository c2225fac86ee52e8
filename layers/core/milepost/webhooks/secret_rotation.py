"""Rotation of a connection's signing secret: the new secret and the previous one are both valid.

An entry is ``{"scheme": ..., "secrets": ["<current>", "<previous>"]}``. Webhooks that are signed by
either secret are accepted until the rotation is finished: so none is lost, whenever the provider
starts to use the new one.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from milepost.webhooks.receiver import Signing
from milepost.webhooks.signatures import NoSecret, make_signing_secret

_REQUEST: Final = "request"


class CannotRotate(Exception):
    """The rotation is not possible; the message says why."""


class NoSigningSecret(CannotRotate):
    """The connection receives no webhooks, or its signing secret was never stored."""


class RotationInProgress(CannotRotate):
    """Two secrets are already valid."""


class ProvidersKey(CannotRotate):
    """Webhooks are verified with the provider's public key, so only the provider can rotate its
    key.
    """


class ChangedMeanwhile(CannotRotate):
    """Another process is changing the connections now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RotatedSecret:
    """The secret that the provider signs with from now on."""

    secret: str = field(repr=False)
    previous_is_valid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretState:
    """What may be shown about a connection's signing secrets: how many are valid."""

    valid: int
    can_be_made: bool
    """Whether Milepost makes it: no, if it is the provider's public key."""


class SigningSecretRotation(Protocol):
    """Rotates the signing secrets of connections."""

    def state(self, connection_id: str) -> SecretState: ...

    def rotate(self, connection_id: str, *, now: datetime, request: str) -> RotatedSecret:
        """Create a new secret, and keep the previous one valid.

        :param request: an id of this request: repeated, it makes no other secret
        :raises CannotRotate: when it isn't possible
        """
        ...

    def finish(self, connection_id: str, *, now: datetime) -> None:
        """Keep only the new secret valid. Repeating this changes nothing.

        :raises CannotRotate: when it isn't possible
        """
        ...


def state_of(entry: object) -> SecretState:
    """What may be shown about a stored entry."""
    signing = Signing.read(entry)
    return SecretState(valid=len(signing.secrets), can_be_made=_can_be_made(signing))


def rotated(entry: object, *, connection_id: str, request: str | None = None) -> dict[str, Any]:
    """The entry with a new secret before the current one. A repeated request doesn't change the
    entry.

    :raises NoSigningSecret: when there is no secret
    :raises RotationInProgress: when two secrets are valid
    :raises ProvidersKey: when only the provider can make a secret
    """
    there = _usable(entry, connection_id)
    valid = there["secrets"]
    if len(valid) > 1:
        if request is not None and there.get(_REQUEST) == request:
            return there
        raise RotationInProgress(
            f"A rotation of {connection_id} is in progress: two signing secrets are valid"
        )
    try:
        made = make_signing_secret(Signing.read(there).scheme)
    except NoSecret:
        raise ProvidersKey(f"{connection_id} verifies with the provider's public key") from None
    kept = {name: value for name, value in there.items() if name != _REQUEST}
    return {**kept, "secrets": [made, *valid], **({_REQUEST: request} if request else {})}


def finished(entry: object, *, connection_id: str) -> dict[str, Any]:
    """The entry with only its current secret.

    :raises NoSigningSecret: when there is no secret
    """
    there = _usable(entry, connection_id)
    kept = {name: value for name, value in there.items() if name != _REQUEST}
    return {**kept, "secrets": there["secrets"][:1]}


def _usable(entry: object, connection_id: str) -> dict[str, Any]:
    if not isinstance(entry, dict) or not Signing.read(entry).secrets:
        raise NoSigningSecret(f"{connection_id} has no signing secret")
    return entry


def _can_be_made(signing: Signing) -> bool:
    try:
        make_signing_secret(signing.scheme)
    except NoSecret:
        return False
    return True
