"""Signing secrets in the form of each scheme."""

from milepost.webhooks.signatures import (
    LONGEST_KEY,
    SHORTEST_KEY,
    STANDARD_WEBHOOKS,
    NoSecret,
    signing_key,
)


def is_signing_secret(scheme: str, secret: str) -> bool:
    """Whether it may be set: webhooks can be checked with it, and it is long enough."""
    key = _key(scheme, secret)
    longest = LONGEST_KEY if scheme == STANDARD_WEBHOOKS else len(key)
    return SHORTEST_KEY <= len(key) <= longest


def has_form(scheme: str, secret: str) -> bool:
    """Whether webhooks of this scheme can be checked with it, however short it is."""
    return bool(_key(scheme, secret))


def what_it_takes(scheme: str) -> str:
    """What a signing secret has to be, for people."""
    if scheme == STANDARD_WEBHOOKS:
        return f"{scheme} takes whsec_ and the base64 of {SHORTEST_KEY} to {LONGEST_KEY} bytes"
    return f"{scheme} takes a text of at least {SHORTEST_KEY} bytes"


def _key(scheme: str, secret: str) -> bytes:
    try:
        return signing_key(scheme, secret)
    except NoSecret:
        return b""
