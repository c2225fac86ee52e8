"""``milepost causes``: why orders ended without success, and whether known meters help."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from cli.api import OrdersApi
from cli.command_group import examples, make_part
from cli.local_times import in_words
from cli.options import ConnectionsOption, CsvOption, JsonOption
from cli.output import tell, tell_csv, tell_json, tell_table
from cli.stack import StackOption, find_stack
from milepost.exports.list_columns import CAUSES

app = make_part()

_KNOWN: Final = {
    "malo": "MaLo number",
    "meter_number": "meter number",
    "neither": "neither number",
}


@app.command(
    "causes",
    epilog=examples(
        "causes --connection rabot-energy --from 2026-01 --to 2026-03", "causes --csv > causes.csv"
    ),
)
def show_causes(
    *,
    connection: ConnectionsOption = None,
    service_type: Annotated[str | None, typer.Option("--service-type")] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="MONTH", help="Such as 2026-03.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="MONTH", help="By default the present month.")
    ] = None,
    stack: StackOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Show why orders were rejected, failed or were cancelled over the last twelve months, or
    between --from and --to, with the share of each cause.

    Then whether orders with a MaLo or meter number were accepted faster.
    """
    found = OrdersApi(find_stack(stack)).get(
        "/causes",
        connection=connection or None,
        service_type=service_type,
        **{"from": first, "to": last},
    )
    if as_json:
        tell_json(found)
        return
    if as_csv:
        tell_csv(CAUSES, found["causes"])
        return
    months = found["months"]
    tell(f"Rejections, failures and cancellations from {months[0]} to {months[-1]}", style="bold")
    if not found["causes"]:
        tell("There were none in this period.")
    else:
        tell_table(
            ["month", "connection", "service", "outcome", "cause", "count", "share"],
            [_row(one) for one in found["causes"]],
            drop=("service", "connection"),
        )
    _show_acceptance(found["acceptance"])


def _row(one: Mapping[str, Any]) -> list[str]:
    return [
        one["month"],
        one["connection"],
        one["service_type"] or "",
        one["outcome"],
        one["cause"].replace("_", " "),
        f"{one['count']:,}",
        f"{one['share']:.0%}",
    ]


def _show_acceptance(found: list[Mapping[str, Any]]) -> None:
    if not found:
        return
    tell()
    tell("Time until accepted, by what was known of the meter", style="bold")
    tell_table(
        ["connection", "service", "known", "count", "mean", "median", "faster", "promised"],
        [
            [
                one["connection"],
                one["service_type"] or "",
                _KNOWN.get(one["identifiers"], one["identifiers"]),
                f"{one['count']:,}",
                in_words(one["mean"]),
                in_words(one["median"]),
                _part(one["faster"]),
                _part(one["promised"]),
            ]
            for one in found
        ],
        drop=("service", "median", "connection"),
    )


def _part(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"
