"""Scorecards: how a connection or a provider performed in the last 13 weeks.

They follow from the orders as they are stored, like the forecasts, and hold nothing personal.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from milepost.connections.connection import Connection
from milepost.forecasts.minimum_samples import FOR_STAGE_SCORE
from milepost.forecasts.quality import Quality
from milepost.forecasts.slowdown import BEFORE, WEEK, Comparison, compare, points_in_period
from milepost.forecasts.stays import Stay, as_of
from milepost.orders.deadlines import track_deadline
from milepost.orders.lifecycle import TERMINAL
from milepost.orders.order import TrackedOrder
from milepost.orders.report import Report, Source
from milepost.orders.stages import MOVING

PERIOD: Final = timedelta(seconds=BEFORE)
"""What a scorecard is about: the time until it was made."""
LATE: Final = timedelta(hours=1)
"""After this time, a webhook came late."""
MOST_STAGES: Final = 50


@dataclass(frozen=True, slots=True)
class StageScore:
    """The durations of a stage in the period, in seconds, and the number of orders (``orders``)
    that were in it; open orders have not left it yet. ``slower`` compares the last 14 days with the
    13 weeks before, if that shows a slowdown in two consecutive weeks."""

    stage: str
    orders: int
    median: float | None
    p90: float | None
    slower: Comparison | None = None


@dataclass(slots=True)
class Tally:
    """Counts orders, one after the other.

    ``outcomes`` are orders that ended, by status; ``on_time`` of the ``dated`` ones were completed
    within their track's time. Of ``changes``, the webhook of ``late`` came late, and of ``missing``
    a poll said it first.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    dated: int = 0
    on_time: int = 0
    changes: int = 0
    late: int = 0
    missing: int = 0
    webhooks: int = 0

    def add(self, tracked: TrackedOrder, connection: Connection | None, *, now: datetime) -> None:
        """Count one order."""
        order, since = tracked.order, now - PERIOD
        if order.status in TERMINAL and since <= order.since <= now:
            self.outcomes[str(order.status)] += 1
            if connection and order.status == "completed" and tracked.erased_at is None:
                self.dated += 1
                self.on_time += order.since <= track_deadline(order, connection)
        first = min((one.report for one in order.timeline), key=_seen_at, default=None)
        history = first.seen_at if first and first.source is Source.POLL else None
        for entry in order.timeline[1:]:
            report = entry.report
            if report.seen_at < since or entry.effect not in MOVING:
                continue
            match report.source:
                case Source.WEBHOOK:
                    self.changes += 1
                    self.webhooks += 1
                    self.late += report.seen_at - report.occurred_at > LATE
                case Source.POLL if history and report.occurred_at < history:
                    # The order was imported, or is older than the connection: no webhook was due.
                    continue
                case Source.POLL:
                    self.changes += 1
                    self.missing += 1
                case _:
                    # What a person did here is known at once.
                    continue

    def join(self, other: "Tally") -> None:
        """Add what another tally counted."""
        self.outcomes.update(other.outcomes)
        self.dated += other.dated
        self.on_time += other.on_time
        self.changes += other.changes
        self.late += other.late
        self.missing += other.missing
        self.webhooks += other.webhooks


def _seen_at(report: Report) -> datetime:
    return report.seen_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """The performance of a connection or a provider.

    ``name`` is the connection's id or the provider's. Changes, late and missing webhooks are zero
    where no webhook came in the period: then nothing is expected.
    """

    name: str
    made_at: str
    stages: Sequence[StageScore] = ()
    outcomes: Mapping[str, int] = field(default_factory=dict)
    dated: int = 0
    on_time: int = 0
    changes: int = 0
    late: int = 0
    missing: int = 0
    quality: Quality = field(default_factory=Quality)

    @property
    def slowdowns(self) -> list[tuple[str, Comparison]]:
        """The stages that have slowed down, each with its comparison."""
        return [(one.stage, one.slower) for one in self.stages if one.slower is not None]

    def as_json(self) -> dict[str, Any]:
        """The scorecard as JSON."""
        return asdict(self) | {
            "stages": [[*astuple(one)] for one in self.stages],
            "quality": [*astuple(self.quality)],
        }

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> "Scorecard":
        """Read what ``as_json`` wrote."""
        stages = [
            StageScore(stage, orders, median, p90, Comparison(*slower) if slower else None)
            for stage, orders, median, p90, slower in stored["stages"]
        ]
        return cls(**{**stored, "stages": stages, "quality": Quality(*stored["quality"])})


def make_scorecard(
    name: str, stays: Iterable[Stay], tally: Tally, *, quality: Quality, now: datetime, made_at: str
) -> Scorecard:
    """The scorecard of these stays, in calendar time, and these counts."""
    has_webhooks = tally.webhooks > 0
    return Scorecard(
        name=name,
        made_at=made_at,
        stages=_score_stages(stays, now=now.timestamp()),
        outcomes=dict(sorted(tally.outcomes.items())),
        dated=tally.dated,
        on_time=tally.on_time,
        changes=tally.changes if has_webhooks else 0,
        late=tally.late,
        missing=tally.missing if has_webhooks else 0,
        quality=quality,
    )


def _score_stages(stays: Iterable[Stay], *, now: float) -> list[StageScore]:
    by_stage: dict[str, list[Stay]] = defaultdict(list)
    for one in stays:
        if one.left is None or one.left > now - 2 * BEFORE:
            by_stage[one.stage].append(one)
    scores = [
        score
        for stage, of_stage in sorted(by_stage.items())
        if (score := _score_stage(stage, of_stage, now=now))
    ]
    most = sorted(scores, key=lambda one: (one.slower is None, -one.orders))[:MOST_STAGES]
    return sorted(most, key=lambda one: one.stage)


def _score_stage(stage: str, stays: Sequence[Stay], *, now: float) -> StageScore | None:
    number, points = points_in_period(stays, since=now - BEFORE, until=now)
    if number < FOR_STAGE_SCORE:
        return None
    return StageScore(
        stage,
        number,
        points.middle if points else None,
        points.high if points else None,
        find_slowdown(stays, now=now),
    )


def find_slowdown(stays: Sequence[Stay], *, now: float) -> Comparison | None:
    """The comparison of a stage that is slower now and was slower a week ago; None for any other
    stage.
    """
    present = compare(stays, now=now)
    if present is None or not present.is_slower:
        return None
    week_ago = now - WEEK
    before = compare(as_of(stays, week_ago), now=week_ago)
    return present if before is not None and before.is_slower else None
