"""Idempotency keys: a request repeated with its key runs once, and must have the same contents."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol


class KeyReused(Exception):
    """The idempotency key was used for a request with other contents."""

    def __init__(self) -> None:
        super().__init__("the idempotency key was used for another request: use a new one")


class Requests(Protocol):
    """The contents of the first request with each key, by operation."""

    def contents(self, operation: str, key: str) -> str | None:
        """The ``fingerprint`` of the first request with this key; None for a new key."""
        ...

    def enter(self, operation: str, key: str, contents: str, *, at: datetime) -> None:
        """Store the contents with the key.

        :raises KeyReused: when another request has used the key first
        """
        ...


def fingerprint(contents: Mapping[str, Any]) -> str:
    """A hash of the contents, independent of their order. It contains no personal data."""
    text = json.dumps(contents, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def is_repeated(requests: Requests, operation: str, key: str, contents: str) -> bool:
    """Whether the same request was already made.

    :raises KeyReused: when the key was used with another request
    """
    known = requests.contents(operation, key)
    if known not in (None, contents):
        raise KeyReused
    return known is not None
