"""Suppressions: addresses to which no mail may be sent; people can list and lift them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from milepost.notifications.notice import Audience

_ID: Final = re.compile(r"[0-9a-f]{32}(?::(?:team|customer))?")


class BadSuppressionId(ValueError):
    """Not the id of a suppression."""


@dataclass(frozen=True, slots=True)
class SuppressionId:
    """Identifies a suppression by a hash of its address (``email_addresses.address_hash``).

    ``audience`` is None if no mail at all may be sent there.
    """

    digest: str
    audience: Audience | None = None

    def __str__(self) -> str:
        return f"{self.digest}:{self.audience}" if self.audience else self.digest

    @classmethod
    def parse(cls, text: str) -> "SuppressionId":
        """:raises BadSuppressionId: when the text isn't the id of a suppression"""
        if not _ID.fullmatch(text):
            raise BadSuppressionId("a suppression's id is 32 hexadecimal digits, as lists show it")
        digest, _, audience = text.partition(":")
        return cls(digest, Audience(audience) if audience else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """An address to which no mail may be sent, and why."""

    id: SuppressionId
    address: str | None
    """None if a customer unsubscribed by a link, which only contains a hash, and after the customer
    was erased."""
    reason: str
    since: str
    """An instant in UTC."""


@dataclass(frozen=True, slots=True)
class SuppressionPlace:
    """A position in the list: a suppression, its shard and its time."""

    listed_at: str
    shard: str
    id: SuppressionId


@dataclass(frozen=True, slots=True)
class SuppressionPage:
    """A page of suppressions, the newest first. ``last`` is None on the last page."""

    suppressions: Sequence[Suppression]
    last: SuppressionPlace | None


class Suppressions(Protocol):
    """All suppressions."""

    def page(self, *, after: SuppressionPlace | None, limit: int) -> SuppressionPage: ...

    def of_address(self, address: str) -> Sequence[Suppression]:
        """The suppressions of one address, in any spelling: for all audiences, or for one of
        them.
        """
        ...

    def lift(self, id: SuppressionId, *, at: datetime) -> bool:
        """Allow mails to the address again; False if it isn't suppressed. The time is stored, so
        that delayed events from before it are ignored."""
        ...
