"""The summary in which an order's oldest reports are kept, with the stages they were about."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from milepost.common.status import StageLevel, Status
from milepost.orders.details import Details


@dataclass(frozen=True, slots=True)
class Wait:
    """Something the customer has to do first: ``payment``, ``signature``, ``contact``, ..."""

    what: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Stage:
    """A time that an order spent in one status, or in one raw status of several that it had there,
    by the provider's clock.

    ``raw_status`` is None where it is the same word as the status, or isn't known.
    """

    status: Status
    entered: datetime
    left: datetime
    raw_status: str | None = None
    level: StageLevel = StageLevel.BOTH


SWALLOWED_DIGITS: Final = 10
"""Hex digits of an id that a summary keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the oldest reports of a very long timeline came to, once there were too many to keep.

    A report that is not among them and occurred at ``until`` or before is late. What people did
    stays on the timeline for longer than what the provider said.
    """

    count: int
    """Reports that are on the timeline no more."""
    until: datetime
    status: Status
    raw_status: str | None
    since: datetime
    details: Details
    raw_since: datetime | None = None
    """When ``raw_status`` was entered, where that was later than ``since``."""
    waited: timedelta = timedelta(0)
    waiting: Wait | None = None
    waited_before: timedelta = timedelta(0)
    """How long stages before the one of ``raw_status`` waited for the customer."""
    acknowledged: frozenset[str] = frozenset()
    stages: tuple[Stage, ...] = ()
    """The stages that were finished by then, the last of them if there were very many."""
    stages_left_out: int = 0
    """How many finished before the first of ``stages``."""
    late: int = 0
    """Late reports that are on the timeline no more."""
    people: int = 0
    """What people did or noted and is on the timeline no more."""
    payments: tuple[str, ...] = ()
    """When the provider said that it paid commission, of reports that are on the timeline no
    more."""
    swallowed: tuple[str, ...] = ()
    """By what reports that are on the timeline no more are known again: the first digits of their
    ids, the last ones if there were very many."""

    def has_swallowed(self, report_id: str) -> bool:
        return report_id[:SWALLOWED_DIGITS] in self.swallowed
