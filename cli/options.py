"""Options that many commands share, so that each has the same name and meaning."""

from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, for scripts.")]
CsvOption = Annotated[
    bool, typer.Option("--csv", help="Rows as CSV on standard output, for a spreadsheet.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask for confirmation.")]
ConnectionsOption = Annotated[
    list[str] | None,
    typer.Option("--connection", metavar="ID", help="Only this connection; may be repeated."),
]
OrderArgument = Annotated[
    str,
    typer.Argument(
        metavar="ORDER",
        help="connection:order:item, connection:order, the provider's id, or a reference.",
        show_default=False,
    ),
]
WhoseOption = Annotated[
    str | None,
    typer.Option(
        "--connection",
        metavar="ID",
        help="The order's connection; ORDER is then the provider's id.",
    ),
]
ZoneOption = Annotated[
    str,
    typer.Option(
        "--zone",
        envvar="MILEPOST_ZONE",
        help="Show times in this zone, such as Europe/Berlin.",
    ),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key",
        help="Makes repeating the command safe: it is carried out once for "
        "each key. Created if absent.",
        show_default=False,
    ),
]
