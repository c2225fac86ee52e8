"""Signing secrets in the form of each scheme."""

from milepost.signatures import NoSecret, signing_key


def is_signing_secret(scheme: str, secret: str) -> bool:
    """Whether webhooks of this scheme could be checked with it."""
    try:
        signing_key(scheme, secret)
    except NoSecret:
        return False
    return True
