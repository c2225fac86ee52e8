"""Signing secrets in the form of each scheme."""

import base64
import secrets
from typing import Final

from milepost.signatures import STANDARD_WEBHOOKS, NoSecret, signing_key

_KEY_BYTES: Final = 32
"""Standard Webhooks asks for 24 to 64 (standardwebhooks.com, "Signature scheme")."""


def make_signing_secret(scheme: str) -> str:
    """A new random secret in the form that the scheme's providers take."""
    key = secrets.token_bytes(_KEY_BYTES)
    if scheme == STANDARD_WEBHOOKS:
        return "whsec_" + base64.b64encode(key).decode()
    return key.hex()


def is_signing_secret(scheme: str, secret: str) -> bool:
    """Whether webhooks of this scheme could be checked with it."""
    try:
        signing_key(scheme, secret)
    except NoSecret:
        return False
    return True
