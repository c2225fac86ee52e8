"""``milepost doctor``: every check of a deployment, a line each, and what to do."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli.aws_faults import explain
from cli.doctor import account, channels, recipients, running, setting_up
from cli.doctor.findings import Check, Finding, Level, Patient, failure
from cli.faults import COULD_NOT, Fault
from cli.options import JsonOption
from cli.output import tell, tell_folded, tell_json
from cli.parts import examples, make_part
from cli.stack import StackOption, find_stack

app = make_part()

CHECKS: Final[Sequence[tuple[str, Check]]] = (
    ("stack", setting_up.check_stack),
    ("concurrency", account.check_concurrency),
    ("routes", account.check_routes),
    ("secrets", setting_up.check_secrets),
    ("schedules", setting_up.check_schedules),
    ("mail", channels.check_mail),
    ("sender", channels.check_sender),
    ("signatures", channels.check_signatures),
    ("topics", channels.check_topics),
    ("hearing", recipients.check_recipients),
    ("alarms", running.check_alarms),
    ("functions", running.check_functions),
    ("sources", running.check_sources),
    ("dead letters", running.check_dead_letters),
    ("quarantine", running.check_quarantine),
    ("polls", running.check_polls),
    ("webhooks", running.check_webhooks),
    ("payloads", running.check_payloads),
)
_STYLES: Final = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


@app.command("doctor", epilog=examples("doctor --stack milepost-prod"))
def doctor(*, stack: StackOption = None, as_json: JsonOption = False) -> None:
    """Check a deployment and say what to do where it isn't well. Exit code 1 on a failure.

    It changes nothing. What it can't look at is a failure too.
    """
    target = find_stack(stack)
    if not as_json:
        tell(f"Stack {target}", style="bold")
    found: list[Finding] = []
    for one in examine(Patient(target, datetime.now(UTC))):
        found.append(one)
        if not as_json:
            _tell(one)
    levels = Counter(one.level for one in found)
    if as_json:
        tell_json([asdict(one) for one in found])
    else:
        tell(f"Failures: {levels[Level.FAIL]}, warnings: {levels[Level.WARN]}.", style="bold")
    if levels[Level.FAIL]:
        raise typer.Exit(COULD_NOT)


def examine(patient: Patient) -> Iterator[Finding]:
    """What each check finds, one after another; a check that can't look is a failure by itself."""
    for about, check in CHECKS:
        try:
            yield from check(patient)
        except (BotoCoreError, ClientError) as error:
            yield _unchecked(about, explain(error))
        except Fault as fault:
            yield _unchecked(about, str(fault))
        except Exception as error:
            # Its message may quote what was read.
            yield _unchecked(about, f"it ended in {type(error).__name__}")


def _unchecked(about: str, why: str) -> Finding:
    return failure(about, f"could not be checked: {why}", "Check again with what that asks for.")


def _tell(one: Finding) -> None:
    tell(f"{one.level:<4}  {one.about:<12}  {one.text}", style=_STYLES[one.level])
    if one.advice:
        tell_folded(one.advice, indent=20)
