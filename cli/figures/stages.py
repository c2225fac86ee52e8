"""``milepost stages``: how long stages took, and which open orders take longer than most did."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cli.api import OrdersApi
from cli.faults import EXIT_CODES
from cli.moments import UTC_ZONE, Moments, in_words, read_zone
from cli.options import ConnectionsOption, JsonOption, ZoneOption
from cli.orders.finding import short_id
from cli.output import tell, tell_json, tell_table
from cli.parts import make_part
from cli.stack import StackOption, find_stack

app = make_part()


@app.command("stages", epilog=EXIT_CODES)
def show_stages(
    *,
    connection: ConnectionsOption = None,
    service_type: Annotated[str | None, typer.Option("--service-type")] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="MONTH", help="Such as 2026-03.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="MONTH", help="The present one if absent.")
    ] = None,
    zone: ZoneOption = UTC_ZONE,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how long each stage took over the last twelve months, or those between --from and --to.

    Then the open orders that have been in theirs for longer than nine of ten were.
    """
    moments = read_zone(zone)
    found = OrdersApi(find_stack(stack)).get(
        "/stages",
        connection=connection or None,
        service_type=service_type,
        **{"from": first, "to": last},
    )
    if as_json:
        tell_json(found)
        return
    months = found["months"]
    tell(f"Stages that ended from {months[0]} to {months[-1]}", style="bold")
    if not found["stages"]:
        tell("None has ended in this time.")
    else:
        tell_table(
            ["connection", "service", "stage", "count", "mean", "median", "nine of ten"],
            [_stage_row(one) for one in found["stages"]],
        )
    _show_slow(found, moments)


def _show_slow(found: Mapping[str, Any], moments: Moments) -> None:
    tell()
    if not found["slow"]:
        tell("No open order takes longer than nine of ten did.")
        return
    tell("Open orders that take longer than nine of ten did", style="bold")
    tell_table(
        ["order", "stage", f"since ({moments.label})", "for", "usually within"],
        [
            [
                short_id(one["id"]),
                one["stage"].replace("_", " "),
                moments.minute(one["since"]),
                in_words(one["age"]),
                in_words(one["p90"]),
            ]
            for one in found["slow"]
        ],
    )
    if found["more_slow"]:
        tell("There may be more.")


def _stage_row(one: Mapping[str, Any]) -> list[str]:
    return [
        one["connection"],
        one["service_type"] or "",
        one["stage"].replace("_", " "),
        f"{one['count']:,}",
        in_words(one["mean"]),
        in_words(one["median"]),
        in_words(one["p90"]),
    ]
