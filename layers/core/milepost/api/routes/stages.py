"""Stages: how long they took, and the open orders that are beyond the 90th percentile."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from milepost.api.dependencies import Given, Services
from milepost.api.filters import (
    ConnectionFilter,
    FirstMonth,
    LastMonth,
    Text,
    check_connections,
    check_service_type,
)
from milepost.api.json_model import Shape
from milepost.api.months import first_of, months_before, months_between
from milepost.api.openapi import may_answer
from milepost.api.problems import Fault, Problem
from milepost.common.status import Status, normal_form
from milepost.common.timestamps import parse_instant
from milepost.forecasts.minimum_samples import FOR_PERCENTILE
from milepost.orders.lifecycle import OPEN
from milepost.queries.histogram import StageFigures
from milepost.queries.order_list import Listed, Wanted

router = Router()

MOST_MONTHS: Final = 36
MOST_SLOW: Final = 100
"""Maximum number of orders beyond the p90 in one response."""
_MOST_PAGES: Final = 5
_A_YEAR: Final = 12

StageName = tuple[str, str, Status, str]
"""Connection, service type (empty for none), status and raw status (empty for the same word)."""


class By(StrEnum):
    """How rows of stage times are grouped."""

    STATUS = "status"
    RAW_STATUS = "raw_status"


class StageView(Shape):
    """How long orders of one kind were in one status, or in one raw status of it, until they left
    it. All times in seconds."""

    connection: str
    service_type: str | None
    stage: Status
    raw_status: str | None = Field(
        description="The provider's word, with `by=raw_status`; null if it is "
        "the same word as the stage, or was not counted separately.",
        examples=["Contract Generated"],
    )
    count: int
    mean: float = Field(description="Exact.")
    median: float | None = Field(
        description=f"Accurate to 2.5%; null while fewer than {FOR_PERCENTILE} stages have ended."
    )
    p90: float | None = Field(
        description="The 90th percentile, accurate to 2.5%; null as for the median."
    )


class SlowOrder(Shape):
    """An open order that has been in its stage for longer than the 90th percentile."""

    id: str = Field(examples=["offergrid-main:ord_1:item_1"])
    connection: str
    service_type: str | None
    reference: str | None
    stage: Status
    raw_status: str | None
    since: str = Field(description="When it entered its raw status.")
    age: float = Field(description="Seconds since then.")
    p90: float = Field(description="The 90th percentile of its stage, in seconds.")


class StagesView(Shape):
    """Durations of stages, by the months in which orders left them."""

    months: list[str]
    stages: list[StageView]
    slow: list[SlowOrder] = Field(description="By their next date, the earliest first.")
    more_slow: bool = Field(description="Whether there may be more than are listed.")


@router.get(
    "/stages",
    summary="How long stages took, and which open orders are beyond the 90th percentile",
    tags=["figures"],
    operation_id="show_stages",
    responses=may_answer(200),
)
def show_stages(
    services: Given,
    *,
    connection: ConnectionFilter = None,
    service_type: Annotated[Text | None, Query()] = None,
    first_month: FirstMonth = None,
    last_month: LastMonth = None,
    by: Annotated[
        By,
        Query(
            description="`raw_status`: a row for each of the provider's words within a stage, such "
            "as the milestones of SUBS."
        ),
    ] = By.STATUS,
) -> StagesView:
    check_connections(connection, services)
    now = services.clock()
    months = months_asked_for(first_month, last_month, now=now)
    names = connection or services.connection_ids()
    tallies = services.figures.stages_by_raw_status(names, months=months)
    told_apart = _of_type(service_type, tallies)
    rows = told_apart
    if by is By.STATUS:
        rows = _of_type(service_type, services.figures.stages(names, months=months))
    if not rows:
        check_service_type(service_type, services)
    slow, is_all = _slow_orders(told_apart, services, now=now)
    return StagesView(
        months=months,
        stages=[_stage_view(one) for one in rows],
        slow=slow,
        more_slow=not is_all,
    )


def _of_type(service_type: str | None, found: Iterable[StageFigures]) -> list[StageFigures]:
    return [one for one in found if service_type in (None, one.service_type)]


def months_asked_for(first: str | None, last: str | None, *, now: datetime) -> list[str]:
    """The months of a query, by default the last twelve.

    :raises Problem: 422, for none or more than ``MOST_MONTHS``
    """
    end = first_of(last) if last else now.date().replace(day=1)
    begin = first_of(first) if first else months_before(end, _A_YEAR - 1)
    months = months_between(begin, end)
    if not 0 < len(months) <= MOST_MONTHS:
        what = f"from `from` to `to` there must be 1 to {MOST_MONTHS} months"
        raise Problem(422, f"{what}.", errors=[Fault(where="query.from", what=what)])
    return months


def _slow_orders(
    figures: Iterable[StageFigures], services: Services, *, now: datetime
) -> tuple[list[SlowOrder], bool]:
    """Open orders beyond their stage's p90, and whether these are all of them."""
    p90 = {
        (one.connection, one.service_type, one.stage, normal_form(one.raw_status or "")): one.p90
        for one in figures
        if one.stage in OPEN and one.count >= FOR_PERCENTILE
    }
    if not p90:
        return [], True
    wanted = Wanted(
        asked_at=now,
        statuses=tuple({status for _, _, status, _ in p90}),
        connections=frozenset(connection for connection, *_ in p90),
    )
    zones = {one.id: one.time_zone for one in services.connections.all().values()}
    slow: list[SlowOrder] = []
    after = None
    for _ in range(_MOST_PAGES):
        page = services.lists.page(wanted, zones=zones, after=after, limit=MOST_SLOW)
        likely = [one for one in page.orders if _if_slow(one, p90, now)]
        # The index has no time of the raw status: an order may have entered it since.
        known = services.lists.read_facts(likely)
        slow += [found for one in known if (found := _if_slow(one, p90, now))]
        after = page.last
        if after is None or len(slow) > MOST_SLOW:
            break
    return slow[:MOST_SLOW], after is None and len(slow) <= MOST_SLOW


def _if_slow(one: Listed, p90: Mapping[StageName, float], now: datetime) -> SlowOrder | None:
    stage = (one.key.connection, one.service_type or "", one.status)
    word = normal_form(one.raw_status or "")
    usual = p90.get((*stage, word), p90.get((*stage, "")))
    age = now - parse_instant(one.stage_since)
    if usual is None or age <= timedelta(seconds=usual):
        return None
    return SlowOrder(
        id=one.key.path_id,
        connection=one.key.connection,
        service_type=one.service_type,
        reference=one.reference,
        stage=one.status,
        raw_status=one.raw_status,
        since=one.stage_since,
        age=age.total_seconds(),
        p90=usual,
    )


def _stage_view(one: StageFigures) -> StageView:
    is_enough = one.count >= FOR_PERCENTILE
    return StageView(
        connection=one.connection,
        service_type=one.service_type or None,
        stage=one.stage,
        raw_status=one.raw_status,
        count=one.count,
        mean=one.mean,
        median=one.median if is_enough else None,
        p90=one.p90 if is_enough else None,
    )
