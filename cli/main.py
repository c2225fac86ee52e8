"""The entry point: mounts what ``milepost`` can do, and turns faults into exit codes."""

from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from typer.core import TyperGroup

from cli.connections import commands as connections
from cli.faults import COULD_NOT, EXIT_CODES, Fault, explain
from cli.notices import commands as notices
from cli.orders import commands as orders
from cli.output import warn
from cli.subscriptions import commands as subscriptions


class Operator(TyperGroup):
    """The one place where a fault becomes a line on standard error and an exit code."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        try:
            return super().invoke(ctx)
        except Fault as fault:
            warn(str(fault), style="red")
            raise typer.Exit(fault.code) from None
        except (BotoCoreError, ClientError) as error:
            warn(explain(error), style="red")
            raise typer.Exit(COULD_NOT) from None


app = typer.Typer(
    cls=Operator,
    help="Milepost's operator: connections, orders, subscriptions and notices of a deployed stack.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    # A traceback with local variables would show secrets.
    pretty_exceptions_show_locals=False,
)
app.add_typer(connections.app, name="connections")
app.add_typer(orders.app, name="orders")
app.add_typer(subscriptions.app, name="subscriptions")
app.add_typer(notices.app, name="notices")


@app.callback()
def milepost() -> None:
    """See and steer a deployed Milepost."""
