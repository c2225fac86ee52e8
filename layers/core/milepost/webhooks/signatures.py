"""Who sent this: webhook signatures over the raw bytes.

The reference library for Standard Webhooks raises whatever its parser raises on malformed
headers; here everything but a good signature is ``BadSignature``, so that a refusal tells
nothing of its reason. Imports the standard library alone: it runs on every webhook's way in.
"""

import binascii
import hmac
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Final

STANDARD_WEBHOOKS: Final = "standard-webhooks"
SPIRII: Final = "spirii"

TOLERANCE_SECONDS: Final = 300
MOST_SIGNATURES: Final = 16
SHORTEST_KEY: Final = 24
LONGEST_KEY: Final = 64
"""Bytes of a secret that may be set (standardwebhooks.com, "Signature scheme"). What was stored
before is checked with as it is: a webhook isn't lost for it."""
_KEY_BYTES: Final = 32
_LONGEST_ID: Final = 256
_LONGEST_TIMESTAMP: Final = 12
_ID_CHARACTERS: Final = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
)


class BadSignature(Exception):
    """Not shown to be from the provider. Says nothing of why, on purpose."""


class NoSecret(Exception):
    """The connection has no usable signing secret, so nothing can be accepted."""


def make_signing_secret(scheme: str) -> str:
    """A new random secret in the form that the scheme's senders take."""
    key = os.urandom(_KEY_BYTES)
    return "whsec_" + b64encode(key).decode() if scheme == STANDARD_WEBHOOKS else key.hex()


def verify(
    scheme: str, *, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float
) -> str:
    """Check one delivery against every live secret and return its delivery id.

    :param scheme: ``standard-webhooks`` or ``spirii``
    :param headers: as they came, names in any case
    :param body: the raw bytes, as signed
    :param secrets: live ones, during a rotation two; ``whsec_<base64>`` for Standard Webhooks
    :param now: seconds since the epoch
    :raises BadSignature: for every reason not to believe it
    :raises NoSecret: when there is no secret to check with
    """
    keys = [signing_key(scheme, secret) for secret in secrets]
    if not keys:
        raise NoSecret
    names = _SCHEMES[scheme]
    delivery_id = _delivery_id(_header(headers, names[0]))
    timestamp = _timestamp(_header(headers, names[1]), now)
    signature = _header(headers, names[2])
    if scheme == STANDARD_WEBHOOKS:
        signed = f"{delivery_id}.{timestamp}.".encode() + body
        given = _standard_signatures(signature)
    else:
        signed = f"{timestamp}.".encode() + body
        given = [_spirii_signature(signature)]
    if not _any_matches(keys, signed, given):
        raise BadSignature
    return delivery_id


def sign(secret: str, *, delivery_id: str, timestamp: int, body: bytes) -> str:
    """The ``webhook-signature`` of a message of our own, by Standard Webhooks.

    :param timestamp: seconds since the epoch
    :raises NoSecret: when the secret isn't ``whsec_<base64>``
    """
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    signature = hmac.digest(signing_key(STANDARD_WEBHOOKS, secret), signed, "sha256")
    return f"v1,{b64encode(signature).decode()}"


def signed_headers(
    scheme: str, *, secret: str, delivery_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The headers with which a provider of that scheme would send this body.

    :param timestamp: seconds since the epoch
    :raises NoSecret: when the secret isn't in the scheme's form
    """
    key = signing_key(scheme, secret)
    if scheme == STANDARD_WEBHOOKS:
        signature = sign(secret, delivery_id=delivery_id, timestamp=timestamp, body=body)
    else:
        signature = hmac.digest(key, f"{timestamp}.".encode() + body, "sha256").hex()
    return dict(zip(_SCHEMES[scheme], (delivery_id, str(timestamp), signature), strict=True))


def signing_key(scheme: str, secret: str) -> bytes:
    """The bytes to sign with.

    :raises NoSecret: when the scheme is unknown or the secret isn't in its form
    """
    if scheme not in _SCHEMES or not isinstance(secret, str) or not secret:
        raise NoSecret
    try:
        if scheme == SPIRII:
            return secret.encode()
        key = b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        # Not base64; or half of a surrogate pair, which JSON can say and no bytes can.
        raise NoSecret from None
    if not key:
        raise NoSecret
    return key


_SCHEMES: Final[Mapping[str, tuple[str, str, str]]] = {
    STANDARD_WEBHOOKS: ("webhook-id", "webhook-timestamp", "webhook-signature"),
    SPIRII: ("spirii-event-id", "spirii-timestamp", "spirii-signature"),
}
"""The headers with id, timestamp and signature.

Sources: standardwebhooks.com specification; Spirii Business API documentation, "Webhooks".
"""


def _header(headers: Mapping[str, str], name: str) -> str:
    """The one header of this name: a second, in other letters, is one too many."""
    values = [value for key, value in headers.items() if key.lower() == name]
    if len(values) != 1 or not isinstance(values[0], str) or not values[0].isascii():
        raise BadSignature
    return values[0]


def _delivery_id(text: str) -> str:
    # A dot in the id would let bytes wander between id, timestamp and body of what is signed.
    # API Gateway joins repeated headers by commas, so these are refused here as well.
    if not 0 < len(text) <= _LONGEST_ID or not _ID_CHARACTERS.issuperset(text):
        raise BadSignature
    return text


def _timestamp(text: str, now: float) -> str:
    if not 0 < len(text) <= _LONGEST_TIMESTAMP or not text.isdigit():
        raise BadSignature
    if abs(int(now) - int(text)) > TOLERANCE_SECONDS:
        raise BadSignature
    return text


def _standard_signatures(text: str) -> list[bytes]:
    """The ``v1`` signatures of a list such as ``v1,<base64> v1a,<base64>``.

    The specification parts them by a space. More than one are the same: spaces sign nothing, so
    that this lets nothing in that wasn't signed.
    """
    if text.startswith(" ") or text.endswith(" "):
        raise BadSignature
    parts = [part for part in text.split(" ") if part]
    if len(parts) > MOST_SIGNATURES:
        raise BadSignature
    given = []
    for part in parts:
        version, comma, encoded = part.partition(",")
        if not comma or "," in encoded:
            raise BadSignature
        if version == "v1":
            given.append(_decoded(encoded))
    return given


def _decoded(encoded: str) -> bytes:
    try:
        return b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise BadSignature from None


def _spirii_signature(text: str) -> bytes:
    try:
        return binascii.unhexlify(text)
    except (binascii.Error, ValueError):
        raise BadSignature from None


def _any_matches(keys: Sequence[bytes], signed: bytes, given: Sequence[bytes]) -> bool:
    matched = False
    for key in keys:
        expected = hmac.digest(key, signed, "sha256")
        for signature in given:
            # No early exit: how long it takes must not depend on which secret matched.
            matched |= hmac.compare_digest(expected, signature)
    return matched
