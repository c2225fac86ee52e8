"""Signs webhooks like the providers, by their documentation and without the verifier's code."""

import base64
import hashlib
import hmac

SECRET = "whsec_" + base64.b64encode(b"the key of offergrid-home, 32 b.").decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"the key of offergrid-business, 32b").decode()


def standard_headers(
    body: bytes, *, secret: str = SECRET, delivery_id: str = "msg_2Kq", timestamp: int | str
) -> dict[str, str]:
    """The three headers of a Standard Webhooks delivery."""
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": standard_signature(
            body, secret=secret, delivery_id=delivery_id, timestamp=timestamp
        ),
    }


def standard_signature(
    body: bytes, *, secret: str = SECRET, delivery_id: str = "msg_2Kq", timestamp: int | str
) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join([delivery_id.encode(), str(timestamp).encode(), body])
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def spirii_headers(
    body: bytes, *, secret: str, event_id: str = "evt-1", timestamp: int | str
) -> dict[str, str]:
    """The three headers of a Spirii delivery."""
    signed = f"{timestamp}.".encode() + body
    return {
        "Spirii-Event-Id": event_id,
        "Spirii-Timestamp": str(timestamp),
        "Spirii-Signature": hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest(),
    }
