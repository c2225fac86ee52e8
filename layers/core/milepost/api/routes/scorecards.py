"""Scorecards: how connections and providers did in 13 weeks, and which are slowing down."""

from collections.abc import Iterable
from enum import StrEnum

from aws_lambda_powertools.event_handler.api_gateway import Router
from pydantic import Field

from milepost.api.dependencies import Given
from milepost.api.filters import ConnectionFilter, check_connections
from milepost.api.json_model import Shape
from milepost.api.openapi import may_answer
from milepost.common.status import Status
from milepost.forecasts.scorecard import Scorecard
from milepost.forecasts.slowdown import Comparison

router = Router()


class Scope(StrEnum):
    """What a scorecard is about."""

    CONNECTION = "connection"
    PROVIDER = "provider"


class SlowdownView(Shape):
    """How a stage's last 14 days compare with the 13 weeks before. Times in seconds."""

    stage: str = Field(
        description="The status, and the provider's word where that is another one.",
        examples=["submitted: processing"],
    )
    orders: int = Field(description="Orders that were in the stage in the last 14 days.")
    median_before: float | None
    median_now: float | None = Field(
        description="Null where fewer than half of them have left the stage yet."
    )


class StageScoreView(Shape):
    """How long orders were in a stage in the last 13 weeks. Times in seconds."""

    stage: str
    orders: int = Field(description="Orders that were in the stage, including open ones.")
    median: float | None
    p90: float | None = Field(description="The 90th percentile.")


class ForecastQualityView(Shape):
    """How good the forecasts of the last 8 weeks were, of orders that were completed since."""

    made: int
    cannot_say: float = Field(description="Share that had no forecast, from 0 to 1.")
    coverage: float | None = Field(
        description="Share of the 80% intervals that contained the completion; 0.8 is ideal."
    )
    error: float | None = Field(
        description="Mean distance of the middle of a forecast from the completion, in seconds."
    )
    naive_error: float | None = Field(
        description="The same for a naive forecast, the median of completed orders."
    )


class ScorecardView(Shape):
    """How one connection did, or all connections of one provider together."""

    scope: Scope
    name: str = Field(description="The connection's id, or the provider.", examples=["rabot"])
    made_at: str
    outcomes: dict[Status, int] = Field(description="Orders that ended, by status.")
    on_time: float | None = Field(
        description="Share of completed orders that were completed within their track's time."
    )
    changes: int = Field(
        description="Changes of status; 0 if no webhook came, since none is expected."
    )
    late_webhooks: int = Field(description="Of these, those whose webhook came an hour late.")
    missing_webhooks: int = Field(description="Of these, those that a poll reported first.")
    stages: list[StageScoreView]
    slowdowns: list[SlowdownView]
    forecasts: ForecastQualityView


class ScorecardList(Shape):
    """Scorecards are made once a day."""

    scorecards: list[ScorecardView] = Field(
        description="Connections first, then providers; empty before the first ones were made."
    )


@router.get(
    "/scorecards",
    summary="How connections and providers performed in the last 13 weeks, and "
    "which are slowing down",
    tags=["figures"],
    operation_id="list_scorecards",
    responses=may_answer(200),
)
def list_scorecards(
    services: Given,
    *,
    connection: ConnectionFilter = None,
) -> ScorecardList:
    check_connections(connection, services)
    names = frozenset(connection or services.connection_ids())
    own, joined = services.forecasts.scorecards()
    providers = {one.provider for one in services.connections.all().values() if one.id in names}
    return ScorecardList(
        scorecards=[
            *_views(Scope.CONNECTION, own, names),
            *_views(Scope.PROVIDER, joined, providers if not connection else ()),
        ]
    )


def _views(
    scope: Scope, found: Iterable[Scorecard], names: Iterable[str]
) -> Iterable[ScorecardView]:
    return (_view(scope, one) for one in found if one.name in names)


def _view(scope: Scope, one: Scorecard) -> ScorecardView:
    return ScorecardView(
        scope=scope,
        name=one.name,
        made_at=one.made_at,
        outcomes={Status(name): number for name, number in one.outcomes.items()},
        on_time=_share(one.on_time, one.dated),
        changes=one.changes,
        late_webhooks=one.late,
        missing_webhooks=one.missing,
        stages=[
            StageScoreView(stage=each.stage, orders=each.orders, median=each.median, p90=each.p90)
            for each in one.stages
        ],
        slowdowns=[_slowdown(stage, slower) for stage, slower in one.slowdowns],
        forecasts=_quality(one),
    )


def _slowdown(stage: str, one: Comparison) -> SlowdownView:
    return SlowdownView(
        stage=stage,
        orders=one.orders,
        median_before=one.median_before,
        median_now=one.median_now,
    )


def _quality(one: Scorecard) -> ForecastQualityView:
    quality = one.quality
    return ForecastQualityView(
        made=quality.made,
        cannot_say=_share(quality.cannot_say, quality.made) or 0.0,
        coverage=_share(quality.covered, quality.made - quality.cannot_say),
        error=_share(quality.error, quality.compared),
        naive_error=_share(quality.naive_error, quality.compared),
    )


def _share(part: float, of: int) -> float | None:
    return part / of if of else None
