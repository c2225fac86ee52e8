"""``milepost scorecards``: how connections and providers performed, and which are slowing down."""

from collections.abc import Mapping
from typing import Any

from cli.api import OrdersApi
from cli.command_group import examples, make_part
from cli.local_times import in_words
from cli.options import ConnectionsOption, CsvOption, JsonOption
from cli.output import tell, tell_csv, tell_json, tell_table
from cli.stack import StackOption, find_stack
from milepost.exports.list_columns import SCORECARDS

app = make_part()


@app.command("scorecards", epilog=examples("scorecards", "scorecards --connection rabot-energy"))
def show_scorecards(
    *,
    connection: ConnectionsOption = None,
    stack: StackOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Show how each connection and each provider performed in the last 13 weeks, and how good the
    forecasts of its orders were. Then the stages that are slowing down.

    Scorecards are computed once a day.
    """
    found = OrdersApi(find_stack(stack)).get("/scorecards", connection=connection or None)
    cards = found["scorecards"]
    if as_json:
        tell_json(found)
        return
    if as_csv:
        tell_csv(SCORECARDS, cards)
        return
    if not cards:
        tell("There are no scorecards yet: they are computed once a day.")
        return
    tell(f"The 13 weeks until {cards[0]['made_at'][:10]}", style="bold")
    tell_table(
        [
            "of",
            "completed",
            "on time",
            "unsuccessful",
            "webhooks",
            "forecasts",
            "coverage",
            "error",
        ],
        [_row(one) for one in cards],
        drop=("error", "coverage", "webhooks"),
    )
    _show_slowdowns(cards)


def _row(one: Mapping[str, Any]) -> list[str]:
    outcomes, forecasts = one["outcomes"], one["forecasts"]
    completed = outcomes.get("completed", 0) + outcomes.get("active", 0)
    ended = sum(outcomes.values())
    expected, in_time = one["changes"], one["late_webhooks"] + one["missing_webhooks"]
    return [
        one["name"] if one["scope"] == "connection" else f"all of {one['name']}",
        f"{completed:,}",
        _part(one["on_time"]),
        _part((ended - completed) / ended if ended else None),
        f"{in_time / expected:.0%} late" if expected else "",
        f"{forecasts['made']:,}",
        _part(forecasts["coverage"]),
        in_words(forecasts["error"]) if forecasts["error"] is not None else "",
    ]


def _show_slowdowns(cards: list[Mapping[str, Any]]) -> None:
    slower = [
        [one["name"], each["stage"], f"{each['orders']:,}", _usual(each)]
        for one in cards
        if one["scope"] == "connection"
        for each in one["slowdowns"]
    ]
    tell()
    if not slower:
        tell("No stage is slowing down.")
        return
    tell("Slowing down: the last 14 days against the 13 weeks before", style="bold")
    tell_table(["connection", "stage", "orders", "median"], slower)


def _usual(one: Mapping[str, Any]) -> str:
    before, now = one["median_before"], one["median_now"]
    known = "not known yet" if now is None else in_words(now)
    return f"{in_words(before)} before, {known} now"


def _part(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"
