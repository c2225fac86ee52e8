"""Suppressions: addresses to which no mail may be sent, listed and lifted by people."""

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
    """Names a suppression by a digest of its address (``email_addresses.address_hash``).

    ``audience`` is None when no mail at all may be sent there.
    """

    digest: str
    audience: Audience | None = None

    def __str__(self) -> str:
        return f"{self.digest}:{self.audience}" if self.audience else self.digest

    @classmethod
    def parse(cls, text: str) -> "SuppressionId":
        """:raises BadSuppressionId: when the text is none"""
        if not _ID.fullmatch(text):
            raise BadSuppressionId("a suppression's id is 32 hexadecimal digits, as lists show it")
        digest, _, audience = text.partition(":")
        return cls(digest, Audience(audience) if audience else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """An address to which no mail may be sent, and why."""

    id: SuppressionId
    address: str | None
    """None after a customer unsubscribed by a link, which names a digest alone, and once the
    customer was erased."""
    reason: str
    since: str
    """An instant in UTC."""


@dataclass(frozen=True, slots=True)
class SuppressionPlace:
    """A place in the list: the suppression that is there, in its shard, at its time."""

    listed_at: str
    shard: str
    id: SuppressionId


@dataclass(frozen=True, slots=True)
class SuppressionPage:
    """Some suppressions, the newest first. Without ``last`` there are no more."""

    suppressions: Sequence[Suppression]
    last: SuppressionPlace | None


class Suppressions(Protocol):
    """Every suppression."""

    def page(self, *, after: SuppressionPlace | None, limit: int) -> SuppressionPage: ...

    def of_address(self, address: str) -> Sequence[Suppression]:
        """Those of one address, in any spelling: for everybody, or for one audience."""
        ...

    def lift(self, id: SuppressionId, *, at: datetime) -> bool:
        """Let mails go there again; False when it is not suppressed. When it was lifted stays
        known, for events of before that come later."""
        ...
