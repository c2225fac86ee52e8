"""Signs and verifies webhooks over their raw bytes.

Which header, algorithm and age of a timestamp are right, ``signature_schemes`` says.
On malformed headers, the reference library for Standard Webhooks raises various errors of its
parser. Here everything except a valid signature raises ``BadSignature``, so that a refusal doesn't
reveal its reason. Imports only the standard library, since it runs for every received webhook.
"""

import binascii
import hashlib
import hmac
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from milepost.webhooks.signature_schemes import (
    SCHEMES,
    STANDARD_WEBHOOKS,
    BadScheme,
    SignatureScheme,
    read_scheme,
)

MOST_SIGNATURES: Final = 16
SHORTEST_KEY: Final = 24
LONGEST_KEY: Final = 64
"""Maximum bytes of a new secret (standardwebhooks.com, "Signature scheme"). Longer secrets that are
already stored stay valid, so that no webhook is lost."""
_KEY_BYTES: Final = 32
_LONGEST_ID: Final = 256
_LONGEST_TIMESTAMP: Final = 12
_LONGEST_MILLISECONDS: Final = 15
_LONGEST_SIGNATURES: Final = 16 * 1024
_ID_CHARACTERS: Final = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
)


Scheme: TypeAlias = str | SignatureScheme | Mapping[str, Any]
"""A scheme by name, or its parameters, also in their stored form."""


class BadSignature(Exception):
    """The request isn't proven to be from the provider. There is no reason, on purpose."""


class NoSecret(Exception):
    """The connection has no usable signing secret, so nothing can be accepted."""


def make_signing_secret(scheme: Scheme) -> str:
    """A new random secret in the format that the scheme uses.

    :raises NoSecret: when only the provider can create one, since its signatures use a key pair
    """
    known = _known(scheme)
    if known.algorithm == "ed25519":
        raise NoSecret
    key = os.urandom(_KEY_BYTES)
    if known.key in ("whsec", "base64"):
        return ("whsec_" if known.key == "whsec" else "") + b64encode(key).decode()
    return key.hex()


def verify(
    scheme: Scheme,
    *,
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    now: float,
) -> str:
    """Verify one delivery against all valid secrets and return its delivery id.

    :param scheme: one of ``signature_schemes.SCHEMES`` by name, or the parameters of another
    :param headers: as received, names in any case
    :param body: the raw bytes, as signed
    :param secrets: the valid ones, two during a rotation; in the encoding of the scheme's ``key``
    :param now: seconds since the epoch
    :raises BadSignature: for every reason not to accept it
    :raises NoSecret: when there is no secret to verify with
    """
    known = _known(scheme)
    keys = [_key(known, secret) for secret in secrets]
    if not keys:
        raise NoSecret
    if known.algorithm == "none":
        _require_token(known, _header(headers, known.header), keys)
        return _id_of(known, headers, body)
    delivery_id = _id_of(known, headers, body)
    parts = _parts(known, _header(headers, known.header))
    timestamp = _timestamp(known, headers, parts, now)
    signed = _signed(known, delivery_id, timestamp, body)
    given = [
        _decoded(known, part[len(known.prefix) :])
        for part in parts
        if part.startswith(known.prefix) and not _is_timestamp(known, part)
    ]
    if not _any_matches(known, keys, signed, given):
        raise BadSignature
    return delivery_id


def answer_challenge(scheme: Scheme, *, query: Mapping[str, str], secrets: Sequence[str]) -> str:
    """The response body to a challenge: a GET request by which a provider verifies the URL.

    :raises BadSignature: when it is no challenge, or lacks the token that the scheme requires
    :raises NoSecret: when the scheme is unknown, or requires a token and there is no secret
    """
    known = _known(scheme)
    said = query.get(known.challenge) if known.challenge else None
    if said is None or not 0 < len(said) <= _LONGEST_ID:
        raise BadSignature
    if not _ID_CHARACTERS.issuperset(said.replace(".", "").replace("=", "")):
        raise BadSignature
    if known.challenge_token:
        if not secrets:
            raise NoSecret
        given, matched = query.get(known.challenge_token, "").encode("utf-8", "replace"), False
        for secret in secrets:
            matched |= hmac.compare_digest(secret.encode("utf-8", "replace"), given)
        if not matched:
            raise BadSignature
    return said


def sign(secret: str, *, delivery_id: str, timestamp: int, body: bytes) -> str:
    """The ``webhook-signature`` header of a message that Milepost sends, by Standard Webhooks.

    :param timestamp: seconds since the epoch
    :raises NoSecret: when the secret isn't ``whsec_<base64>``
    """
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    signature = hmac.digest(signing_key(STANDARD_WEBHOOKS, secret), signed, "sha256")
    return f"v1,{b64encode(signature).decode()}"


def signed_headers(
    scheme: Scheme, *, secret: str, delivery_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The headers with which a provider with this scheme would send this body.

    :param timestamp: seconds since the epoch
    :raises NoSecret: when the secret isn't in the scheme's form, or is only a public key
    """
    known = _known(scheme)
    key = _key(known, secret)
    headers = {known.id_header: delivery_id} if known.id_header else {}
    if known.algorithm == "none":
        shown = b64encode(key).decode() if known.encoding == "base64" else secret
        return headers | {known.header: known.prefix + shown}
    if known.algorithm == "ed25519":
        raise NoSecret
    stamp = str(timestamp * 1000 if known.timestamp_unit == "milliseconds" else timestamp)
    digest = hmac.digest(key, _signed(known, delivery_id, stamp, body), known.algorithm)
    text = b64encode(digest).decode() if known.encoding == "base64" else digest.hex()
    value = known.prefix + text
    if known.timestamp_prefix:
        value = known.timestamp_prefix + stamp + known.delimiter + value
    if known.timestamp_header:
        headers[known.timestamp_header] = stamp
    return headers | {known.header: value}


def signing_key(scheme: Scheme, secret: str) -> bytes:
    """The bytes that are signed.

    :raises NoSecret: when the scheme is unknown or the secret isn't in its form
    """
    return _key(_known(scheme), secret)


def _known(scheme: Scheme) -> SignatureScheme:
    if isinstance(scheme, SignatureScheme):
        return scheme
    try:
        return SCHEMES[scheme] if isinstance(scheme, str) else read_scheme(scheme)
    except (KeyError, BadScheme):
        raise NoSecret from None


def _key(scheme: SignatureScheme, secret: str) -> bytes:
    if not isinstance(secret, str) or not secret:
        raise NoSecret
    try:
        if scheme.key == "text":
            key = secret.encode()
        elif scheme.key == "hex":
            key = binascii.unhexlify(secret)
        else:
            bare = secret.removeprefix("whsec_").removeprefix("whpk_")
            key = b64decode(bare if scheme.key == "whsec" else secret, validate=True)
    except (binascii.Error, ValueError):
        # Not base64; or half of a surrogate pair, which JSON allows but no encoding does.
        raise NoSecret from None
    if not key:
        raise NoSecret
    return key


def _header(headers: Mapping[str, str], name: str) -> str:
    """The only header with this name; a second one, in other case, is refused."""
    values = [value for key, value in headers.items() if key.lower() == name]
    if len(values) != 1 or not isinstance(values[0], str) or not values[0].isascii():
        raise BadSignature
    return values[0]


def _id_of(scheme: SignatureScheme, headers: Mapping[str, str], body: bytes) -> str:
    if scheme.id_header is None:
        return hashlib.sha256(body).hexdigest()[:32]
    text = _header(headers, scheme.id_header)
    # A dot in the id would make the borders between id, timestamp and body ambiguous.
    # API Gateway joins repeated headers with commas, so commas are refused here as well.
    if not 0 < len(text) <= _LONGEST_ID or not _ID_CHARACTERS.issuperset(text):
        raise BadSignature
    return text


def _parts(scheme: SignatureScheme, text: str) -> list[str]:
    """The parts of a signature's header, such as ``v1,<base64> v1a,<base64>``.

    Standard Webhooks separates them by a space. Several spaces count as one: spaces aren't signed,
    so this accepts nothing that wasn't signed.
    """
    if len(text) > _LONGEST_SIGNATURES:
        raise BadSignature
    if not scheme.delimiter:
        return [text]
    if text.startswith(scheme.delimiter) or text.endswith(scheme.delimiter):
        raise BadSignature
    parts = [part for part in text.split(scheme.delimiter) if part]
    if len(parts) > MOST_SIGNATURES:
        raise BadSignature
    return parts


def _is_timestamp(scheme: SignatureScheme, part: str) -> bool:
    return scheme.timestamp_prefix is not None and part.startswith(scheme.timestamp_prefix)


def _timestamp(
    scheme: SignatureScheme, headers: Mapping[str, str], parts: Sequence[str], now: float
) -> str:
    """The timestamp in the form in which it was signed; empty for a scheme without timestamps."""
    if scheme.timestamp_header:
        text = _header(headers, scheme.timestamp_header)
    elif scheme.timestamp_prefix:
        found = [part for part in parts if part.startswith(scheme.timestamp_prefix)]
        if len(found) != 1:
            raise BadSignature
        text = found[0][len(scheme.timestamp_prefix) :]
    else:
        return ""
    is_fine = scheme.timestamp_unit == "milliseconds"
    longest = _LONGEST_MILLISECONDS if is_fine else _LONGEST_TIMESTAMP
    if not 0 < len(text) <= longest or not text.isdigit():
        raise BadSignature
    if abs(int(now) - int(text) // (1000 if is_fine else 1)) > scheme.tolerance:
        raise BadSignature
    return text


def _signed(scheme: SignatureScheme, delivery_id: str, timestamp: str, body: bytes) -> bytes:
    before, _, behind = scheme.signed.partition("{body}")
    values = (("{id}", delivery_id), ("{timestamp}", timestamp))
    for place, value in values:
        before, behind = before.replace(place, value), behind.replace(place, value)
    return b"".join((before.encode(), body, behind.encode()))


def _decoded(scheme: SignatureScheme, text: str) -> bytes:
    try:
        if scheme.encoding == "hex":
            return binascii.unhexlify(text)
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadSignature from None


def _any_matches(
    scheme: SignatureScheme, keys: Sequence[bytes], signed: bytes, given: Sequence[bytes]
) -> bool:
    if scheme.algorithm == "ed25519":
        return _any_is_signed(keys, signed, given)
    matched = False
    for key in keys:
        expected = hmac.digest(key, signed, scheme.algorithm)
        for signature in given:
            # No early exit: the time must not depend on which secret matches.
            matched |= hmac.compare_digest(expected, signature)
    return matched


def _any_is_signed(keys: Sequence[bytes], signed: bytes, given: Sequence[bytes]) -> bool:
    # A body with hundreds of signatures must not cost hundreds of checks.
    return any(_is_signed(key, signed, one) for key in keys for one in given[:4])


def _is_signed(key: bytes, signed: bytes, signature: bytes) -> bool:
    # Imported here, because a cold start would pay for it and few senders use such a scheme.
    from nacl.exceptions import CryptoError  # noqa: PLC0415
    from nacl.signing import VerifyKey  # noqa: PLC0415

    try:
        VerifyKey(key).verify(signed, signature)
    except (CryptoError, ValueError):  # also a key or signature of another length
        return False
    return True


def _require_token(scheme: SignatureScheme, text: str, keys: Sequence[bytes]) -> None:
    """Compare the header's value with every valid token."""
    # The name of an authentication scheme is case-insensitive (RFC 9110, section 11.1).
    start = text[: len(scheme.prefix)]
    if start.lower() != scheme.prefix.lower():
        raise BadSignature
    said = text[len(scheme.prefix) :]
    given = _decoded(scheme, said) if scheme.encoding == "base64" else said.encode()
    matched = False
    for key in keys:
        matched |= hmac.compare_digest(key, given)
    if not matched:
        raise BadSignature
