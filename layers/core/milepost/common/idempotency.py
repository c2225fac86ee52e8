"""Idempotency keys: a request that is repeated with its key is done once, and must ask the same."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol


class KeyReused(Exception):
    """The idempotency key was used for a request with other contents."""

    def __init__(self) -> None:
        super().__init__("the idempotency key was used for another request: take a new one")


class Requests(Protocol):
    """Which contents each key came with, by operation."""

    def contents(self, operation: str, key: str) -> str | None:
        """What ``fingerprint`` gave for the request that came with this key first; None for a
        new key."""
        ...

    def enter(self, operation: str, key: str, contents: str, *, at: datetime) -> None:
        """Keep it with its key.

        :raises KeyReused: when another request has come first
        """
        ...


def fingerprint(contents: Mapping[str, Any]) -> str:
    """The same for the same contents only, whatever their order. Holds nobody's address."""
    text = json.dumps(contents, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def is_repeated(requests: Requests, operation: str, key: str, contents: str) -> bool:
    """Whether this very request has come before.

    :raises KeyReused: when the key came with another one
    """
    known = requests.contents(operation, key)
    if known not in (None, contents):
        raise KeyReused
    return known is not None
