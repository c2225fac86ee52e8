"""`python -m local run|stop|invoke|build`: the commands behind the targets of the Makefile."""

import logging
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from local import deploy, deployer_policy, restore
from local.build import build_stack
from local.deploy_check import deploy_check
from local.errors import CannotStart
from local.files import DEFAULT
from local.invoke import invoke_function
from local.run import run_in_background, run_stack, stop_stack
from local.sam_local import write_environment, write_signed_events
from local.stack import DemoLength

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
for _command in (
    deploy.stage,
    deploy.sender,
    deploy.protection,
    deploy.finish_build,
    deploy.credentials,
    deploy_check,
):
    app.command()(_command)
app.command("restore-drill")(restore.drill)
app.command("restore")(restore.restore)
# SAM's package lets every logger write from INFO on: botocore would tell where each client's
# endpoint and credentials come from.
logging.getLogger("botocore").setLevel(logging.WARNING)
_out = Console(highlight=False)
_errors = Console(stderr=True, highlight=False, soft_wrap=True)


@app.command()
def run(
    demo: Annotated[
        DemoLength,
        typer.Option(envvar="DEMO", help="Move orders through their lives: 1, 0 or loop."),
    ] = DemoLength.ONCE,
    detach: Annotated[
        bool, typer.Option(envvar="DETACH", help="Return when the stack is ready.")
    ] = False,
    port: Annotated[
        str, typer.Option(envvar="MILEPOST_PORT", help="The emulator's port; a free one if unset.")
    ] = "",
) -> None:
    """Start the local stack and show it until Ctrl-C."""
    if port and not (port.isdigit() and 0 < int(port) < 65536):
        raise CannotStart(f"MILEPOST_PORT is {port!r}: set it to a number from 1 to 65535.")
    start = run_in_background if detach else run_stack
    start(DEFAULT, demo=demo, port=int(port) if port else None, console=_out)


@app.command()
def stop() -> None:
    """End the running stack."""
    _out.print("stopped" if stop_stack(DEFAULT) else "no stack was running")


@app.command()
def invoke(function: str, event: str) -> None:
    """Invoke FUNCTION (announce) with events/FUNCTION/EVENT.json (accepted)."""
    result = invoke_function(DEFAULT, function=function, event=event)
    _errors.print(result.log, markup=False)
    _out.print_json(data=result.answer)
    raise typer.Exit(1 if result.failed else 0)


@app.command("sam-env")
def sam_env() -> None:
    """Write what `sam local invoke` needs to reach the running stack."""
    for path in write_environment(DEFAULT):
        _out.print(f"wrote {path}", soft_wrap=True)


@app.command("sign-events")
def sign_events() -> None:
    """Write the webhook events with current signatures."""
    written = write_signed_events(DEFAULT)
    _out.print(f"signed {len(written)} events in {written[0].parent}", soft_wrap=True)


@app.command("deployer-policy")
def write_deployer_policy() -> None:
    """Write docs/deployer-policy.json from the template."""
    _out.print(f"wrote {deployer_policy.write()}", soft_wrap=True)


@app.command()
def build() -> None:
    """Build what `sam deploy` needs, if anything changed."""
    DEFAULT.state.mkdir(mode=0o700, exist_ok=True)
    with (DEFAULT.state / "build.log").open("wb") as log:
        built = build_stack(log=log)
    _out.print("built" if built else "nothing changed since the last build")


def main() -> None:
    """Run a command; an error is printed in one line, with exit code 1."""
    try:
        app()
    except CannotStart as error:
        if str(error):
            _errors.print(str(error), markup=False)
        raise SystemExit(1) from None
    except (BotoCoreError, ClientError) as error:
        why = "no longer answers" if isinstance(error, BotoCoreError) else "refused a request"
        _errors.print(
            f"The emulator {why} ({type(error).__name__}): the reason is at the end of "
            f"{DEFAULT.log_file}. Start again by `make run`.",
            markup=False,
        )
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
