"""Reports: what a provider or a person said about one order at one time.

A report is already translated: it has the canonical status beside the provider's raw status.
Reports form a set. Two reports of the same content and time have the same id, whatever their
source, so recording one twice changes nothing.
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
from milepost.orders.item_sizes import (
    RAW_STATUS_BYTES,
    REPORT_BYTES,
    SERVICE_TYPE_BYTES,
    shorten_details,
    shorten_text,
)


class Source(StrEnum):
    """The source of a report."""

    WEBHOOK = "webhook"
    POLL = "poll"
    PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One statement about one order.

    ``status`` is None if the report has only facts, or a raw status that is not in the provider's
    table (then ``raw_status`` has it). ``occurred_at`` and ``seen_at`` are aware datetimes in UTC.
    Details larger than ``item_sizes.REPORT_BYTES`` are shortened and marked as such.
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
    """When the order entered the status, if the provider gives this apart from the last change."""
    dated_by_fetch: bool = False
    """True if the provider gives no date: the report then has the time of the request."""
    snapshot_at: datetime | None = None
    """For a snapshot, which contains the whole order: when it was requested, or when the provider
    made it. None for an event, which contains a part. It is not part of ``id``: a repeated snapshot
    is the same report, and takes its place among reports of the same instant by its last
    repetition."""
    id: str = field(init=False)
    """A hash of content and time: 16 hex digits, independent of source and time of arrival."""
    size: int = field(init=False, compare=False, repr=False)
    """The size of its content as canonical JSON, in bytes."""

    def __post_init__(self) -> None:
        # To the millisecond, as it is stored: a report has to be equal after it is read back.
        object.__setattr__(self, "occurred_at", whole_milliseconds(self.occurred_at))
        object.__setattr__(self, "seen_at", whole_milliseconds(self.seen_at))
        if self.status_since is not None:
            object.__setattr__(self, "status_since", whole_milliseconds(self.status_since))
        if self.snapshot_at is not None:
            object.__setattr__(self, "snapshot_at", whole_milliseconds(self.snapshot_at))
        said = self._bounded()
        object.__setattr__(self, "id", hashlib.sha256(said).hexdigest()[:16])

    def _bounded(self) -> bytes:
        """Shorten details that are too large to be stored; returns the bytes from which the id is
        made."""
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
        """All values that identify this report."""
        if "action_key" in self.details:
            # Requested twice with one idempotency key, an action runs once, at whatever time.
            return [self.details.get("action"), self.details["action_key"]]
        since = format_instant(self.status_since) if self.status_since else None
        return [self.raw_status, format_instant(self.occurred_at), since, self.details]

    @property
    def is_snapshot(self) -> bool:
        """Whether it contains the whole order, so that facts it leaves out are no longer valid."""
        return self.snapshot_at is not None

    @property
    def has_unknown_status(self) -> bool:
        """Whether the provider sent a status that is not in its table."""
        return self.status is None and self.raw_status is not None


MAX_CLOCK_SKEW: Final = timedelta(minutes=5)


def refuse_future(reports: Iterable[Report], *, now: datetime) -> None:
    """Refuse reports with dates further in the future than clocks may differ, since they would hide
    later reports.

    :raises DatedAhead: when a report is dated more than 5 minutes after ``now``
    """
    if any(report.occurred_at - now > MAX_CLOCK_SKEW for report in reports):
        raise DatedAhead("dated more than 5 minutes ahead")


def shorten(details: Details, most: int) -> Details:
    """The details in at most ``most`` bytes; ``shortened`` has the names of the facts that were
    cut.
    """
    return cast(Details, shorten_details(details, most, encode=_canonical_bytes))


def _canonical_bytes(value: Any) -> bytes:
    # Adapters refuse lone surrogates in payloads; here one must not block an order.
    return canonical_json(value).encode("utf-8", "surrogatepass")
