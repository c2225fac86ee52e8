"""``milepost activity``: who changed what, and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer

from cli.api import OrdersApi
from cli.command_group import examples, make_part
from cli.local_times import UTC_ZONE, read_zone
from cli.options import ConnectionsOption, CsvOption, JsonOption, ZoneOption
from cli.output import tell, tell_csv, tell_json, tell_table
from cli.stack import StackOption, find_stack
from milepost.exports.list_columns import ACTIVITY, about

app = make_part()

_FIELDS: Final = ("at", "person", "kind", "outcome", "about", "via", "address", "id")


@dataclass(frozen=True, kw_only=True)
class ActivityFilters:
    """Filters of changes. None doesn't limit the list."""

    person: Annotated[
        str | None, typer.Option("--person", help="Changes by this user name or AWS identity.")
    ] = None
    order: Annotated[
        str | None,
        typer.Option(
            "--order",
            metavar="ORDER",
            help="Changes of this order: its id or reference.",
        ),
    ] = None
    kind: Annotated[
        str | None, typer.Option("--kind", help="Changes of this kind, such as perform_action.")
    ] = None
    connection: ConnectionsOption = None
    outcome: Annotated[
        str | None, typer.Option("--outcome", help="started, done, refused or failed.")
    ] = None
    first_day: Annotated[
        str | None,
        typer.Option("--from", metavar="DAY", help="First day (UTC); 30 days ago if absent."),
    ] = None
    last_day: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Last day (UTC); today if absent.")
    ] = None

    def as_query(self) -> dict[str, Any]:
        """The parameters of ``GET /activity``; filters that aren't set are None."""
        return {
            "person": self.person,
            "order": self.order,
            "kind": self.kind,
            "connection": self.connection,
            "outcome": self.outcome,
            "from": self.first_day,
            "to": self.last_day,
        }


@app.command(
    epilog=examples(
        "activity --person lena --from 2026-03-01",
        "activity --order offergrid-main:ord_1:item_1",
        "activity --kind perform_action --json",
    )
)
def activity(
    *,
    filters: ActivityFilters,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Maximum number of entries.")] = 50,
    zone: ZoneOption = UTC_ZONE,
    stack: StackOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """List changes that people made with the API, the console or this command, the latest first."""
    moments = read_zone(zone)
    pages = OrdersApi(find_stack(stack)).pages(
        "/activity",
        items="entries",
        resume_by="cursor",
        most=limit,
        **filters.as_query(),
    )
    found: list[Mapping[str, Any]] = []
    following = None
    for page in pages:
        found += page["entries"]
        following = page["next"]
    if as_json:
        tell_json({"entries": found, "next": following})
    elif as_csv:
        tell_csv(ACTIVITY, found)
    elif not found:
        tell("There are no changes.")
    else:
        rows = [_row(one, moments.minute(one["at"])) for one in found]
        tell_table(_FIELDS, rows, drop=("id", "address", "via"))


def _row(entry: Mapping[str, Any], at: str) -> list[str]:
    return [
        at,
        entry["person"],
        entry["kind"],
        entry["outcome"],
        about(entry["targets"]),
        entry["via"],
        entry["address"] or "",
        entry["id"],
    ]
