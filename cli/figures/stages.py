"""``milepost stages``: stage durations, and open orders beyond the 90th percentile."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.api import OrdersApi
from cli.command_group import examples, make_part
from cli.local_times import UTC_ZONE, Moments, in_words, read_zone
from cli.options import ConnectionsOption, CsvOption, JsonOption, ZoneOption
from cli.orders.lookup import short_id
from cli.output import tell, tell_csv, tell_json, tell_table
from cli.stack import StackOption, find_stack
from milepost.exports.list_columns import STAGES

app = make_part()


class By(StrEnum):
    """What a row is grouped by."""

    STATUS = "status"
    RAW_STATUS = "raw_status"


@app.command(
    "stages",
    epilog=examples(
        "stages --connection rabot-energy --from 2026-01 --to 2026-03",
        "stages --by raw_status --connection subs",
    ),
)
def show_stages(
    *,
    connection: ConnectionsOption = None,
    service_type: Annotated[str | None, typer.Option("--service-type")] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="MONTH", help="Such as 2026-03.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="MONTH", help="By default the present month.")
    ] = None,
    by: Annotated[
        By, typer.Option("--by", help="raw_status: the provider's own words within each stage.")
    ] = By.STATUS,
    zone: ZoneOption = UTC_ZONE,
    stack: StackOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Show how long each stage took over the last twelve months, or those between --from and --to.

    Then the open orders that have been in theirs for longer than the 90th percentile.
    """
    moments = read_zone(zone)
    found = OrdersApi(find_stack(stack)).get(
        "/stages",
        connection=connection or None,
        service_type=service_type,
        by=by.value,
        **{"from": first, "to": last},
    )
    if as_json:
        tell_json(found)
        return
    if as_csv:
        tell_csv(STAGES, found["stages"])
        return
    months = found["months"]
    tell(f"Stages that ended from {months[0]} to {months[-1]}", style="bold")
    if not found["stages"]:
        tell("None ended in this period.")
    else:
        words = ["raw status"] if by is By.RAW_STATUS else []
        tell_table(
            [
                "connection",
                "service",
                "stage",
                *words,
                "count",
                "mean",
                "median",
                "90th percentile",
            ],
            [_stage_row(one, by=by) for one in found["stages"]],
            drop=("mean", "median", "service"),
        )
    _show_slow(found, moments)


def _show_slow(found: Mapping[str, Any], moments: Moments) -> None:
    tell()
    if not found["slow"]:
        tell("No open order takes longer than the 90th percentile of its stage.")
        return
    tell("Open orders that take longer than the 90th percentile of their stage", style="bold")
    tell_table(
        ["order", "stage", f"since ({moments.label})", "for", "90th percentile"],
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
        drop=(f"since ({moments.label})", "stage"),
    )
    if found["more_slow"]:
        tell("There may be more.")


def _stage_row(one: Mapping[str, Any], *, by: By) -> list[str]:
    stage = one["stage"].replace("_", " ")
    return [
        one["connection"],
        one["service_type"] or "",
        stage,
        *([one["raw_status"] or stage] if by is By.RAW_STATUS else []),
        f"{one['count']:,}",
        in_words(one["mean"]),
        _usual(one["median"]),
        _usual(one["p90"]),
    ]


def _usual(seconds: float | None) -> str:
    return "not enough yet" if seconds is None else in_words(seconds)
