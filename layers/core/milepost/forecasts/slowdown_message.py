"""The message to the team about a slowdown. Short: one text."""

from collections.abc import Sequence
from typing import Final

from milepost.forecasts.scorecard import Scorecard
from milepost.forecasts.slowdown import DAY, Comparison

_HOUR: Final = 3600.0


def new_slowdowns(card: Scorecard, before: Scorecard | None) -> list[tuple[str, Comparison]]:
    """The stages that are slowing down and were not when the previous scorecard was made."""
    known = {stage for stage, _ in before.slowdowns} if before else set()
    return [(stage, slower) for stage, slower in card.slowdowns if stage not in known]


def message_of(connection_id: str, slowdowns: Sequence[tuple[str, Comparison]]) -> tuple[str, str]:
    """Subject and text of the message about slowdowns."""
    lines = "\n".join(f"- {_line(stage, slower)}" for stage, slower in slowdowns)
    return (
        f"Milepost: {connection_id} is slowing down"[:100],
        f"Orders of the connection {connection_id} stay longer in these stages than they did in "
        f"the 13 weeks before:\n\n{lines}\n\n"
        "They aren't overdue yet. Ask the provider what is going on, and tell customers who wait. "
        "The console shows it under Figures, Scorecards; so does `milepost scorecards`.\n",
    )


def _line(stage: str, slower: Comparison) -> str:
    before = _in_words(slower.median_before or 0.0)
    now = "not known yet" if slower.median_now is None else _in_words(slower.median_now)
    return f"{stage}: median {before} → {now}, {slower.orders:,} orders in the last 14 days"


def _in_words(seconds: float) -> str:
    if seconds < 2 * DAY:
        return f"{seconds / _HOUR:.1f} hours"
    return f"{seconds / DAY:.1f} days"
