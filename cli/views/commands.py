"""``milepost views``: saved filters of order lists."""

from collections.abc import Sequence
from typing import Annotated

import typer

from cli.api import OrdersApi
from cli.command_group import examples, make_part
from cli.confirmation import confirm
from cli.errors import WrongUse
from cli.options import CsvOption, JsonOption
from cli.output import tell, tell_csv, tell_json, tell_table
from cli.stack import StackOption, find_stack
from milepost.exports.list_columns import VIEWS
from milepost.queries.saved_views import Shared

app = make_part("Saved filters of order lists, your own and the team's.")

_COLUMNS = ("id", "name", "of", "filters")
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Small letters, digits and hyphens.")]


@app.command("list", epilog=examples("views list"))
def list_views(
    *, stack: StackOption = None, as_json: JsonOption = False, as_csv: CsvOption = False
) -> None:
    """List the built-in views, your own, and the team's."""
    found = OrdersApi(find_stack(stack)).get("/views")["views"]
    rows = [VIEWS.cells(one) for one in found]
    if as_json:
        tell_json({"views": found})
    elif as_csv:
        tell_csv(VIEWS, found)
    else:
        tell_table(_COLUMNS, rows)


@app.command(
    "save",
    epilog=examples(
        "views save my-rejected --name 'Rejected at home' status=rejected connection=offergrid-home"
    ),
)
def save_view(
    view_id: IdArgument,
    filters: Annotated[
        list[str],
        typer.Argument(
            metavar="FILTER=VALUE...",
            help="Filters of GET /orders, such as status=rejected; one may be repeated.",
        ),
    ],
    *,
    name: Annotated[str | None, typer.Option("--name", help="The name of the view.")] = None,
    team: Annotated[
        bool, typer.Option("--team", help="Save it for the team, not only for yourself.")
    ] = False,
    stack: StackOption = None,
    as_json: JsonOption = False,
) -> None:
    """Save a view, or change the view with this id."""
    body = {
        "name": name or view_id,
        "shared": str(Shared.TEAM if team else Shared.OWN),
        "filters": _read_filters(filters),
    }
    saved = OrdersApi(find_stack(stack)).ask("PUT", f"/views/{view_id}", body=body)
    if as_json:
        tell_json(saved)
    else:
        tell(f"Saved. milepost orders list --view {view_id}")


@app.command("delete", epilog=examples("views delete my-rejected"))
def delete_view(
    view_id: IdArgument,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask for confirmation.")] = False,
    stack: StackOption = None,
) -> None:
    """Delete your own view, or else the team's view with this id."""
    confirm(f"Delete the view {view_id} permanently?", yes=yes)
    OrdersApi(find_stack(stack)).delete(f"/views/{view_id}")
    tell(f"Deleted {view_id}.")


def _read_filters(said: Sequence[str]) -> dict[str, list[str]]:
    filters: dict[str, list[str]] = {}
    for one in said:
        name, sign, value = one.partition("=")
        if not (name and sign and value):
            raise WrongUse(f"{one}: write a filter as status=rejected.")
        filters.setdefault(name.replace("-", "_"), []).append(value)
    return filters
