"""Costs by list prices: a million events, three made-up teams, and the naive stack for comparison.

Numbers come from what the other parts measured last (.local/bench/*.json); ``ASSUMED`` is in
for a part that was not run, and the row says so.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bench.figures import Figure
from bench.prices import (
    ASSUMED,
    MILLION,
    Costs,
    Load,
    per_million,
    price_event_bus,
    price_events,
    price_month,
    price_naive,
    price_polls,
    read_measured,
    read_prices,
)

GOAL: Final = 5.0
"""Dollars for a million events."""
GOAL_OF_A_SMALL_TEAM: Final = 4.0
"""Dollars a month for 1,000 orders, including the fixed costs."""
_SMALLEST: Final = "1,000 orders a month"
_LARGEST: Final = "10 million orders a month"
TEAMS: Final = {
    _SMALLEST: Load(orders=1_000),
    "100,000 orders a month": Load(orders=100_000, inbox_batch=1, figures_batch=7),
    _LARGEST: Load(orders=10 * MILLION, inbox_batch=8, figures_batch=100),
}


def measure(*, quick: bool) -> list[Figure]:
    """A row for each million events, and one for each team, with the naive stack's costs in the
    note.
    """
    del quick
    prices, known = read_prices(), read_measured()
    million = Load(orders=MILLION / 6, inbox_batch=1, figures_batch=11)
    ours, naive = price_events(million, prices, known), price_naive(million, prices, known)
    missing = sorted(ASSUMED.keys() - known.keys())
    rows = [
        Figure(
            what="a million webhook events that each change an order",
            measured=ours.total,
            unit="$",
            goal=GOAL,
            note=_by_part(ours) + (f"; not measured: {', '.join(missing)}" if missing else ""),
            if_missed=(
                "Figures that count each change exactly once are charged as transactions, and at a "
                "million a month SQS hardly ever gives two together. Done: Lambda's own lines off, "
                "figures twice a minute; see docs/scale.md"
            ),
        ),
        Figure(
            what="… at sixty million per month",
            measured=(dense := per_million(TEAMS[_LARGEST], prices, known)).total,
            unit="$",
            note=f"batches are fuller: {_by_part(dense)}",
        ),
        Figure(
            what="… by the naive stack",
            measured=naive.total,
            unit="$",
            note=_by_part(naive),
        ),
    ]
    for name, load in TEAMS.items():
        ours = Costs({**price_events(load, prices, known).parts, **price_month(load, prices).parts})
        naive = price_naive(load, prices, known)
        rows.append(
            Figure(
                what=f"a month of {name}",
                measured=ours.total,
                unit="$",
                goal=GOAL_OF_A_SMALL_TEAM if name == _SMALLEST else None,
                note=f"naive, without fixed costs: ${naive.total:,.2f}; {_by_part(ours)}",
            )
        )
    return rows + list_lines(TEAMS[_SMALLEST], prices, known)


def list_lines(
    load: Load, prices: Mapping[str, Any], measured: Mapping[str, float]
) -> list[Figure]:
    """A row for each item in a small team's costs, and for each optional item."""
    events = {"its events": price_events(load, prices, measured).total}
    rows = [
        Figure(what=f"of a month with 1,000 orders: {name}", measured=dollars, unit="$")
        for name, dollars in {**price_month(load, prices).parts, **events}.items()
    ]
    more = {
        "the dashboard (WithDashboard=true)": prices["cloudwatch"]["per_dashboard_month"],
        "3,000 mails by SES": 3_000 * prices["ses"]["per_million_mails"] / MILLION,
        f"{load.orders * load.told:,.0f} events of an event bus (WithEventBus=true)": (
            price_event_bus(load, prices)
        ),
        "polls every 5 minutes instead of 15": sum(
            price_polls(replace(load, polls_an_hour=12), prices).parts.values()
        )
        - sum(price_polls(load, prices).parts.values()),
    }
    return rows + [
        Figure(what=f"not included: {name}", measured=dollars, unit="$")
        for name, dollars in more.items()
    ]


def _by_part(costs: Costs) -> str:
    return ", ".join(f"{name} {dollars:,.2f}" for name, dollars in costs.parts.items())
