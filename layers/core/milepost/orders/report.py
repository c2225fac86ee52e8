"""What a provider told us about one order at one time.

A report is already translated: the provider's raw status stands beside the canonical one.
Reports are a set. Two that say the same thing of the same moment have the same id, by whichever
way they came, so that taking one in twice changes nothing.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, cast

from milepost.common.errors import DatedAhead
from milepost.common.status import Status
from milepost.common.strict_json import canonical_json
from milepost.common.timestamps import format_instant, whole_milliseconds
from milepost.orders.details import Details
from milepost.orders.size_limits import (
    RAW_STATUS_BYTES,
    REPORT_BYTES,
    SERVICE_TYPE_BYTES,
    shorten_details,
    shorten_text,
)


class Source(StrEnum):
    """The way by which a report came."""

    WEBHOOK = "webhook"
    POLL = "poll"
    PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One thing said of one order.

    ``status`` is None when the report brings facts alone, or a raw status that the provider's
    table does not know (then ``raw_status`` says which). ``occurred_at`` and ``seen_at`` are
    aware datetimes in UTC. Details larger than ``size_limits.REPORT_BYTES`` are shortened, and say
    so.
    """

    connection: str
    order_id: str
    item_id: str
    status: Status | None
    raw_status: str | None
    occurred_at: datetime
    seen_at: datetime
    source: Source
    details: Details
    status_since: datetime | None = None
    """When the status was entered, where the provider says so apart from what changed last."""
    dated_by_fetch: bool = False
    """True when the provider gives no date, so that the report is dated by the request for it."""
    snapshot_at: datetime | None = None
    """Of a snapshot, which says the whole order: when the provider was asked for it, or made it.
    None for an event, which says a part. It is no part of ``id``: the same said again is the same
    report, whose place among others of its instant is that of the last time it was said."""
    id: str = field(init=False)
    """What was said and when: 16 hex digits that do not depend on source or time of arrival."""
    size: int = field(init=False, compare=False, repr=False)
    """Bytes of what it says, as canonical JSON."""

    def __post_init__(self) -> None:
        # To the millisecond, as it is stored: what is read back has to be equal.
        object.__setattr__(self, "occurred_at", whole_milliseconds(self.occurred_at))
        object.__setattr__(self, "seen_at", whole_milliseconds(self.seen_at))
        if self.status_since is not None:
            object.__setattr__(self, "status_since", whole_milliseconds(self.status_since))
        if self.snapshot_at is not None:
            object.__setattr__(self, "snapshot_at", whole_milliseconds(self.snapshot_at))
        said = self._bounded()
        object.__setattr__(self, "id", hashlib.sha256(said).hexdigest()[:16])

    def _bounded(self) -> bytes:
        """Shorten what is too large to be stored; what the id is made of."""
        self._shorten_words()
        said = _canonical_bytes(self._said())
        size = len(said)
        if "action_key" in self.details:
            size += len(_canonical_bytes(self.details))
        if size > REPORT_BYTES:
            object.__setattr__(self, "details", shorten(self.details, REPORT_BYTES))
            said = _canonical_bytes(self._said())
            size = len(_canonical_bytes([self.raw_status, self.details]))
        object.__setattr__(self, "size", size)
        return said

    def _shorten_words(self) -> None:
        if self.raw_status is not None and len(self.raw_status) * 4 > RAW_STATUS_BYTES:
            shorter = shorten_text(self.raw_status, RAW_STATUS_BYTES)
            object.__setattr__(self, "raw_status", shorter)
        service_type = self.details.get("service_type")
        if isinstance(service_type, str) and len(service_type) * 4 > SERVICE_TYPE_BYTES:
            shorter = shorten_text(service_type, SERVICE_TYPE_BYTES)
            object.__setattr__(self, "details", {**self.details, "service_type": shorter})

    def _said(self) -> list[object]:
        """What makes it this report and no other."""
        if "action_key" in self.details:
            # Asked for twice with one key, an action is done once, whenever that was.
            return [self.details.get("action"), self.details["action_key"]]
        since = format_instant(self.status_since) if self.status_since else None
        return [self.raw_status, format_instant(self.occurred_at), since, self.details]

    @property
    def is_snapshot(self) -> bool:
        """Whether it says the whole order, so that what it leaves out holds no more."""
        return self.snapshot_at is not None

    @property
    def has_unknown_status(self) -> bool:
        """Whether the provider named a status that its table does not list."""
        return self.status is None and self.raw_status is not None


MAX_CLOCK_SKEW: Final = timedelta(minutes=5)


def refuse_future(reports: Iterable[Report], *, now: datetime) -> None:
    """Keep out what is dated further ahead than clocks differ: it would shadow all that follows.

    :raises DatedAhead: when a report is dated more than 5 minutes after ``now``
    """
    if any(report.occurred_at - now > MAX_CLOCK_SKEW for report in reports):
        raise DatedAhead("dated more than 5 minutes ahead")


def shorten(details: Details, most: int) -> Details:
    """Details in at most so many bytes; ``shortened`` says which facts were cut."""
    return cast(Details, shorten_details(details, most, encode=_canonical_bytes))


def _canonical_bytes(value: Any) -> bytes:
    # A lone surrogate is refused where it comes in; here it must not stop an order.
    return canonical_json(value).encode("utf-8", "surrogatepass")
