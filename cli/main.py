"""The entry point: adds all command groups, and maps errors to exit codes.

Each part is imported when it is asked for: what all of them need together takes seconds to load,
and ``milepost --help`` needs none of it.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Annotated, Any, Final, cast

import typer
from typer.core import TyperGroup

from cli.errors import COULD_NOT, EXIT_CODES, WRONG_USE, Fault
from cli.lean_import import import_part
from cli.output import tell, warn
from cli.parameter_values import Group

PARTS: Final[Mapping[str, tuple[str, str]]] = {
    "orders": ("cli.orders.commands", "Orders: list, show, watch, import, export."),
    "actions": ("cli.actions.commands", "Run actions on an order."),
    "batches": (
        "cli.actions.batches",
        ("Batches: one action on many orders. Watch and stop them."),
    ),
    "notices": ("cli.notices.commands", "Notices: what was sent, what was not, and why."),
    "subscriptions": ("cli.subscriptions.commands", "Who is notified of what."),
    "suppressions": (
        "cli.subscriptions.suppressions",
        "Addresses to which no mail may be sent.",
    ),
    "stages": (
        "cli.figures.stages",
        "How long stages took, and orders beyond the 90th percentile.",
    ),
    "scorecards": (
        "cli.figures.scorecards",
        "How connections and providers performed, and which are slowing down.",
    ),
    "causes": ("cli.figures.causes", "Why orders ended without success."),
    "commissions": ("cli.figures.commissions", "What orders have earned, and what was paid."),
    "connections": ("cli.connections.commands", "The team's accounts, and whether they work."),
    "providers": (
        "cli.providers.commands",
        "Declared providers: test, apply, roll back.",
    ),
    "sign": ("cli.webhooks.sign", "Sign a file as a connection's provider would."),
    "send-test": ("cli.webhooks.send_test", "Test whether a connection's webhooks arrive."),
    "quarantine": (
        "cli.operations.quarantine",
        "Payloads that could not be read: list, show, reprocess.",
    ),
    "replay": ("cli.operations.replay", "Process again what a provider sent."),
    "dead-letters": ("cli.operations.dead_letters", "Messages that failed every retry."),
    "redrive": ("cli.operations.redrive", "Redrive messages of a dead-letter queue."),
    "erase": ("cli.operations.erase", "Erase a customer permanently."),
    "activity": ("cli.activity.commands", "Who changed what, and when."),
    "exports": ("cli.exports.commands", "Exports: long lists as files."),
    "views": ("cli.views.commands", ("Saved filters of order lists, your own and the team's.")),
    "doctor": ("cli.doctor.commands", ("Check a deployment, and say what to do about problems.")),
}
"""Every part: the module with its ``app``, and its line in the help."""


_WrongUsage: Final[Any] = typer.BadParameter.__base__
"""Any error in options and arguments, which Typer exports only as its subclass."""


class Part(TyperGroup):
    """A command group that is imported later: it is known by its name and its line in the help."""

    def __init__(self, name: str) -> None:
        self._module, help_line = PARTS[name]
        super().__init__(name=name, help=help_line)

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **named: Any) -> Any:
        """Called by Typer once this group is used: the real group replaces this one."""
        command = typer.main.get_command(import_part(self._module).app)
        return command.make_context(info_name, args, *rest, **named)


class Operator(Group):
    """The one place where an error becomes a line on standard error and an exit code."""

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002 - Typer calls it so
        return list(PARTS)

    def get_command(self, ctx: object, cmd_name: str) -> Any:  # noqa: ARG002 - likewise
        return Part(cmd_name) if cmd_name in PARTS else None

    def make_context(self, *rest: Any, **named: Any) -> Any:
        try:
            return super().make_context(*rest, **named)
        except _WrongUsage as error:
            raise _told(error) from None

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        try:
            return super().invoke(ctx)
        except _WrongUsage as error:
            raise _told(error) from None
        except Fault as fault:
            warn(str(fault), style="red")
            raise typer.Exit(fault.code) from None
        except Exception as error:
            if (said := _explain(error)) is None:
                raise
            warn(said, style="red")
            raise typer.Exit(COULD_NOT) from None


def _told(error: Any) -> Exception:
    """Print what is wrong with the options, one line for each sentence.

    Typer would draw a box of the terminal's width, also into a pipe or a log.
    """
    if type(error).__name__ == "NoArgsIsHelpError":
        return cast(Exception, error)
    warn(error.format_message().replace(_FROM_PYDANTIC, ""), style="red")
    if error.ctx is not None:
        warn(f"Try '{error.ctx.command_path} --help'.")
    return typer.Exit(WRONG_USE)


_FROM_PYDANTIC: Final = "Value error, "
_OF_AWS: Final = ("botocore.exceptions", "botocore.parsers")


def _explain(error: Exception) -> str | None:
    """The meaning of an error of the AWS client; None for any other error."""
    if not any(base.__module__ in _OF_AWS for base in type(error).__mro__):
        return None
    explained: str = import_module("cli.aws_errors").explain(error)
    return explained


app = typer.Typer(
    cls=Operator,
    help="Inspect and operate a deployed Milepost.",
    epilog=f"Example: milepost orders list --due this_week. {EXIT_CODES}",
    no_args_is_help=True,
    # A traceback with local variables would show secrets.
    pretty_exceptions_show_locals=False,
)


def _show_version(is_asked_for: bool) -> None:
    if is_asked_for:
        # Importing it takes as long as importing Typer.
        version = import_module("importlib.metadata").version("milepost")
        tell(f"milepost {version}")
        raise typer.Exit


@app.callback()
def milepost(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Inspect and operate a deployed Milepost: its orders, notices, connections and health."""
