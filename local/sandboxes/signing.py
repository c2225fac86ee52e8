"""Webhook signatures in the providers' formats.

Sources: the Standard Webhooks specification (offergrid and subs, the project's own choice) and
Spirii's public webhook guide.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from milepost.webhooks.signatures import signed_headers


def sign_standard(*, secrets: Sequence[str], id: str, timestamp: int, body: bytes) -> str:
    """The ``webhook-signature`` header: one ``v1`` signature for each ``whsec_`` secret."""
    signed = f"{id}.{timestamp}.".encode() + body
    return " ".join(f"v1,{_standard_digest(secret, signed)}" for secret in secrets)


def sign_spirii(*, secret: str, timestamp: int, body: bytes) -> str:
    """The ``Spirii-Signature`` header: hex over the timestamp and the raw body."""
    signed = f"{timestamp}.".encode() + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def sign_headers(
    *, scheme: Any, secrets: Sequence[str], id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The signature headers of a webhook under ``scheme``; none without a secret."""
    if isinstance(scheme, Mapping):
        # A declared provider's own parameters: there is no other writing of them to compare with.
        given = (secrets[0], id, timestamp, body) if secrets else None
        return _by_parameters(scheme, *given) if given else {}
    if scheme == "standard-webhooks" and secrets:
        return {
            "webhook-id": id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign_standard(
                secrets=secrets, id=id, timestamp=timestamp, body=body
            ),
        }
    if scheme == "spirii" and secrets:
        return {
            "Spirii-Event-Id": id,
            "Spirii-Timestamp": str(timestamp),
            "Spirii-Signature": sign_spirii(secret=secrets[0], timestamp=timestamp, body=body),
        }
    return {}


def _by_parameters(
    scheme: Mapping[str, Any], secret: str, id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    return signed_headers(scheme, secret=secret, delivery_id=id, timestamp=timestamp, body=body)


def _standard_digest(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
