"""The summary that replaces an order's oldest reports, with their finished stages."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from milepost.common.status import StageLevel, Status
from milepost.orders.details import Details


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait for the customer: for ``payment``, ``signature``, ``contact``, ..."""

    what: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Stage:
    """The time that an order spent in one status, or in one of its several raw statuses, by the
    provider's clock.

    ``raw_status`` is None if it is the same word as the status, or unknown.
    """

    status: Status
    entered: datetime
    left: datetime
    raw_status: str | None = None
    level: StageLevel = StageLevel.BOTH


SWALLOWED_DIGITS: Final = 10
"""Hex digits of a report's id that a summary keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The oldest reports of a very long timeline, folded together.

    Any other report that occurred at ``until`` or before is late. Actions of people stay on the
    timeline longer than reports of the provider.
    """

    count: int
    """How many reports are no longer on the timeline."""
    until: datetime
    status: Status
    raw_status: str | None
    since: datetime
    details: Details
    raw_since: datetime | None = None
    """When the order entered ``raw_status``, if later than ``since``."""
    waited: timedelta = timedelta(0)
    waiting: Wait | None = None
    waited_before: timedelta = timedelta(0)
    """How long the stages before the one of ``raw_status`` waited for the customer."""
    acknowledged: frozenset[str] = frozenset()
    stages: tuple[Stage, ...] = ()
    """The stages that were finished by then; only the last ones if there were very many."""
    stages_left_out: int = 0
    """How many stages finished before the first one in ``stages``."""
    late: int = 0
    """How many late reports are no longer on the timeline."""
    people: int = 0
    """How many actions and notes of people are no longer on the timeline."""
    payments: tuple[str, ...] = ()
    """When the provider paid commission, by reports that are no longer on the timeline."""
    swallowed: tuple[str, ...] = ()
    """The first digits of the ids of reports that are no longer on the timeline, by which a
    repeated one is recognised; only the last ones if there were very many."""

    def has_swallowed(self, report_id: str) -> bool:
        return report_id[:SWALLOWED_DIGITS] in self.swallowed
