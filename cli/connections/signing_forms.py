"""The format of signing secrets for each scheme."""

from typing import Any

from milepost.webhooks.signature_schemes import STANDARD_WEBHOOKS, BadScheme, read_scheme
from milepost.webhooks.signatures import LONGEST_KEY, SHORTEST_KEY, NoSecret, signing_key

PUBLIC_KEY_BYTES = 32


def is_signing_secret(scheme: Any, secret: str) -> bool:
    """Whether the secret may be set: webhooks can be verified with it, and it is long enough."""
    key = _key(scheme, secret)
    longest = LONGEST_KEY if scheme == STANDARD_WEBHOOKS else len(key)
    if _is_public(scheme):
        return len(key) == PUBLIC_KEY_BYTES
    return SHORTEST_KEY <= len(key) <= longest


def has_form(scheme: Any, secret: str) -> bool:
    """Whether webhooks of this scheme can be verified with the secret, however short it is."""
    return bool(_key(scheme, secret))


def what_it_takes(scheme: Any) -> str:
    """The format of a signing secret, as text for people."""
    if scheme == STANDARD_WEBHOOKS:
        return f"{scheme} takes whsec_ and the base64 of {SHORTEST_KEY} to {LONGEST_KEY} bytes"
    if _is_public(scheme):
        return f"this provider takes its public key: {PUBLIC_KEY_BYTES} bytes of Ed25519"
    if not isinstance(scheme, str):
        form = scheme.get("key", "text")
        return f"this provider takes at least {SHORTEST_KEY} bytes, as {form}"
    return f"{scheme} takes a text of at least {SHORTEST_KEY} bytes"


def _is_public(scheme: Any) -> bool:
    try:
        return read_scheme(scheme).algorithm == "ed25519"
    except BadScheme:
        return False


def _key(scheme: Any, secret: str) -> bytes:
    try:
        return signing_key(scheme, secret)
    except NoSecret:
        return b""
