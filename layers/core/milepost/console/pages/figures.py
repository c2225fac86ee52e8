"""Figures: how long stages took, why orders ended without success, and commissions."""

import re
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from milepost.api import text_patterns
from milepost.api.problems import Problem
from milepost.api.routes.causes import CauseView, show_causes
from milepost.api.routes.commissions import CommissionList, CommissionView, list_commissions
from milepost.api.routes.scorecards import Scope, ScorecardView, SlowdownView, list_scorecards
from milepost.api.routes.stages import By, StageView, show_stages
from milepost.console.formats import duration
from milepost.console.labels import label, words
from milepost.console.page_context import Visit
from milepost.console.query_values import member_of, members_of, text_of
from milepost.console.request import Values
from milepost.console.responses import Answer, csv_download
from milepost.console.routing import Pages
from milepost.console.svg_charts import Bar, bar_chart
from milepost.exports.list_columns import CAUSES, COMMISSIONS, SCORECARDS, STAGES
from milepost.queries.commission import State

pages = Pages()

MOST_BARS: Final = 20
MOST_PAGES: Final = 20
"""Maximum number of pages, of a hundred rows each, in one file."""


@pages.get("/console/figures")
def show_stage_times(visit: Visit) -> Answer:
    """How long stages took, as a plot beside its table."""
    by = member_of(By, visit.query, "by") or By.STATUS
    found = show_stages(visit.services, **_filters(visit.query), by=by)
    return visit.page(
        "stage_times.html",
        found=found,
        chart=_stage_chart(found.stages),
        by=by,
        **_of_filters(visit),
    )


@pages.get("/console/figures/scorecards")
def show_scorecards(visit: Visit) -> Answer:
    """How connections and providers performed, and which are slowing down."""
    cards = _scorecards(visit)
    slowdowns = [
        (card.name, one)
        for card in cards
        if card.scope is Scope.CONNECTION
        for one in card.slowdowns
    ]
    return visit.page(
        "scorecards.html",
        cards=cards,
        slowdowns=slowdowns,
        chart=_slowdown_chart(slowdowns),
        **_of_filters(visit),
    )


@pages.get("/console/figures/scorecards/download")
def download_scorecards(visit: Visit) -> Answer:
    """The table as a file."""
    rows = [one.model_dump(mode="json") for one in _scorecards(visit)]
    return csv_download(rows, SCORECARDS, name="scorecards.csv")


@pages.get("/console/figures/causes")
def show_causes_of_failure(visit: Visit) -> Answer:
    """Why orders were rejected, failed or were cancelled, and what was different for orders that
    were accepted faster.
    """
    found = show_causes(visit.services, **_filters(visit.query))
    summed = _sum_causes(found.causes)
    bars = [
        Bar(label=f"{words(outcome)}: {words(cause)}", value=number, text=str(number))
        for (outcome, cause), number in summed[:MOST_BARS]
    ]
    return visit.page(
        "causes.html",
        found=found,
        chart=bar_chart(bars, title="Orders by outcome and cause") if bars else "",
        **_of_filters(visit),
    )


@pages.get("/console/figures/commissions")
def show_commissions(visit: Visit) -> Answer:
    """What orders have earned: expected, paid, overdue."""
    found = _commissions(visit, limit=50, cursor=visit.query.one("cursor") or None)
    return visit.page(
        "commissions.html",
        found=found,
        sums=_sum_amounts(found.commissions),
        states=list(State),
        **_of_filters(visit),
    )


@pages.get("/console/figures/download")
def download_stage_times(visit: Visit) -> Answer:
    """The table as a file."""
    by = member_of(By, visit.query, "by") or By.STATUS
    found = show_stages(visit.services, **_filters(visit.query), by=by).stages
    rows = [one.model_dump(mode="json") for one in found]
    return csv_download(rows, STAGES, name="stage-times.csv")


@pages.get("/console/figures/causes/download")
def download_causes(visit: Visit) -> Answer:
    """The table as a file."""
    found = show_causes(visit.services, **_filters(visit.query)).causes
    rows = [one.model_dump(mode="json") for one in found]
    return csv_download(rows, CAUSES, name="causes.csv")


@pages.get("/console/figures/commissions/download")
def download_commissions(visit: Visit) -> Answer:
    """The list as a file, with as many pages as can be read for one response."""
    rows: list[dict[str, Any]] = []
    cursor = None
    for _ in range(MOST_PAGES):
        found = _commissions(visit, limit=100, cursor=cursor)
        rows += (one.model_dump(mode="json") for one in found.commissions)
        cursor = found.next
        if cursor is None:
            return csv_download(rows, COMMISSIONS, name="commissions.csv")
    raise Problem(422, ("There are too many rows for one file: choose a month or a connection."))


def _commissions(visit: Visit, *, limit: int, cursor: str | None) -> CommissionList:
    query = visit.query
    return list_commissions(
        visit.services,
        month=_month(query, "month"),
        connection=query.all("connection") or None,
        state=members_of(State, query, "state") or None,
        limit=limit,
        cursor=cursor,
    )


def _scorecards(visit: Visit) -> list[ScorecardView]:
    chosen = visit.query.all("connection") or None
    return list_scorecards(visit.services, connection=chosen).scorecards


def _slowdown_chart(slowdowns: Sequence[tuple[str, SlowdownView]]) -> Any:
    bars = [
        Bar(
            label=f"{label(one.stage)}, {name}",
            value=one.median_before or 0,
            mark=one.median_now,
            text="longer than before" if one.median_now is None else duration(one.median_now),
        )
        for name, one in slowdowns[:MOST_BARS]
    ]
    return bar_chart(bars, title="Medians of stages that are slowing down") if bars else ""


def _filters(query: Values) -> dict[str, Any]:
    return {
        "connection": query.all("connection") or None,
        "service_type": text_of(query, "service_type"),
        "first_month": _month(query, "from"),
        "last_month": _month(query, "to"),
    }


def _of_filters(visit: Visit) -> dict[str, Any]:
    return {"query": visit.query, "connections": visit.services.connection_ids()}


def _month(query: Values, name: str) -> str | None:
    text = query.one(name)
    if text and not re.search(text_patterns.MONTH, text):
        raise Problem(422, f"{name} is not a month: write it like 2026-03.")
    return text or None


def _stage_chart(stages: Sequence[StageView]) -> Any:
    """The stages with the most orders, each with its median and 90th percentile."""
    most = sorted(stages, key=lambda one: one.count, reverse=True)[:MOST_BARS]
    bars = [
        Bar(
            label=", ".join(
                filter(
                    None,
                    (label(one.raw_status or one.stage), one.connection, one.service_type),
                )
            ),
            value=one.mean if one.median is None else one.median,
            mark=one.p90,
            text=duration(one.mean) + " mean"
            if one.median is None
            else f"{duration(one.median)}, {duration(one.p90)} at p90",
        )
        for one in sorted(most, key=lambda one: (one.connection, one.stage))
    ]
    return bar_chart(bars, title="Times of stages by connection") if bars else ""


def _sum_causes(causes: Sequence[CauseView]) -> list[tuple[tuple[str, str], int]]:
    summed: dict[tuple[str, str], int] = defaultdict(int)
    for one in causes:
        summed[one.outcome, one.cause] += one.count
    return sorted(summed.items(), key=lambda pair: pair[1], reverse=True)


def _sum_amounts(found: Sequence[CommissionView]) -> dict[tuple[str, str], Decimal]:
    """The commissions by state and currency."""
    summed: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for one in found:
        summed[str(one.state), one.currency] += Decimal(one.amount)
    return dict(sorted(summed.items()))
