"""Rotation of an endpoint's signing secret: the current one, and previous ones that still sign.

An entry is a text until the first rotation, and afterwards an object::

    {"current": "whsec_...", "previous": [{"secret": "whsec_...", "until": "2026-03-05T12:00:00Z"}]}

Source: Standard Webhooks specification, "Webhook headers": during a rotation a message is signed by
both secrets, and the signatures are sent side by side.
"""

from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from milepost.common.errors import BadPayload
from milepost.common.timestamps import format_instant, parse_instant

KEEP_PREVIOUS: Final = timedelta(hours=24)
"""How long the previous secret continues to sign, by default."""
LONGEST_KEPT: Final = timedelta(days=30)
MOST_PREVIOUS: Final = 4
KEY_BYTES: Final = (24, 64)
"""Minimum and maximum bytes of a secret (Standard Webhooks specification, "Signature scheme")."""


def current_secret(entry: object) -> str | None:
    """The secret that is shown to the endpoint's owner; None if there is no usable one."""
    secret = entry.get("current") if isinstance(entry, Mapping) else entry
    return secret if isinstance(secret, str) and secret else None


def live_secrets(entry: object, *, now: datetime) -> tuple[str, ...]:
    """The secrets to sign with, the current one first; empty if there is none."""
    current = current_secret(entry)
    if current is None:
        return ()
    return (current, *(secret for secret, until in _previous(entry) if now < until))


def previous_until(entry: object, *, now: datetime) -> datetime | None:
    """Until when a previous secret continues to sign; None if none does."""
    return max((until for _, until in _previous(entry) if now < until), default=None)


def rotate(
    entry: object, *, new: str, now: datetime, keep_for: timedelta, request: str | None = None
) -> object:
    """The entry with a new secret. A repeated request doesn't change it.

    :param keep_for: how long the secret until now goes on signing; not at all when zero
    :param request: an id of this request, such as a digest of its idempotency key
    """
    current = current_secret(entry)
    if current == new or (request is not None and request == _request(entry)):
        return entry
    kept = [(secret, until) for secret, until in _previous(entry) if now < until]
    if current is not None and keep_for > timedelta(0):
        kept.insert(0, (current, now + keep_for))
    if not kept and request is None:
        return new
    previous = [
        {"secret": secret, "until": format_instant(until)}
        for secret, until in kept[:MOST_PREVIOUS]
        if keep_for > timedelta(0)
    ]
    return {"current": new, "previous": previous, "request": request}


def has_right_length(secret: str) -> bool:
    """Whether a secret in the form of Standard Webhooks has 24 to 64 bytes."""
    shortest, longest = KEY_BYTES
    return shortest <= len(b64decode(secret.removeprefix("whsec_"))) <= longest


def _request(entry: object) -> object:
    return entry.get("request") if isinstance(entry, Mapping) else None


def _previous(entry: object) -> list[tuple[str, datetime]]:
    kept = entry.get("previous") if isinstance(entry, Mapping) else None
    found = []
    for one in kept if isinstance(kept, list) else ():
        try:
            found.append((str(one["secret"]), parse_instant(one["until"])))
        except (KeyError, TypeError, BadPayload):
            # Edited manually: an unreadable previous secret is ignored, and the current one still
            # signs.
            continue
    return found
