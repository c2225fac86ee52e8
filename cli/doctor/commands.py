"""``milepost doctor``: runs every check of a deployment, one line each, with what to do."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

import typer

from cli.aws_errors import explain
from cli.command_group import examples, make_part
from cli.doctor import (
    account_checks,
    api_checks,
    channel_checks,
    operation_checks,
    recipient_checks,
    setup_checks,
)
from cli.doctor.findings import Check, ExaminedStack, Finding, Level, failure
from cli.errors import COULD_NOT, Fault
from cli.options import JsonOption
from cli.output import tell, tell_folded, tell_json
from cli.stack import StackOption, find_stack
from milepost.aws.errors import AWS_FAILED

app = make_part()

CHECKS: Final[Sequence[tuple[str, Check]]] = (
    ("stack", setup_checks.check_stack),
    ("concurrency", account_checks.check_concurrency),
    ("routes", api_checks.check_routes),
    ("secrets", setup_checks.check_secrets),
    ("schedules", setup_checks.check_schedules),
    ("mail", channel_checks.check_mail),
    ("sender", channel_checks.check_sender),
    ("signatures", channel_checks.check_signatures),
    ("topics", channel_checks.check_topics),
    ("event bus", channel_checks.check_event_bus),
    ("hearing", recipient_checks.check_recipients),
    ("services", recipient_checks.check_service_types),
    ("alarms", operation_checks.check_alarms),
    ("functions", operation_checks.check_functions),
    ("sources", operation_checks.check_sources),
    ("dead letters", operation_checks.check_dead_letters),
    ("quarantine", operation_checks.check_quarantine),
    ("polls", operation_checks.check_polls),
    ("webhooks", operation_checks.check_webhooks),
    ("payloads", operation_checks.check_payloads),
)
_STYLES: Final = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


@app.command("doctor", epilog=examples("doctor --stack milepost-prod"))
def doctor(*, stack: StackOption = None, as_json: JsonOption = False) -> None:
    """Check a deployment, and say what to do about problems. Exit code 1 on a failure.

    It changes nothing. A check that can't be made counts as a failure.
    """
    target = find_stack(stack)
    if not as_json:
        tell(f"Stack {target}", style="bold")
    found: list[Finding] = []
    for one in examine(ExaminedStack(target, datetime.now(UTC))):
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


def examine(patient: ExaminedStack) -> Iterator[Finding]:
    """The result of each check, one after another; a check that can't be carried out counts as a
    failure.
    """
    for about, check in CHECKS:
        try:
            yield from check(patient)
        except AWS_FAILED as error:
            yield _unchecked(about, explain(error))
        except Fault as fault:
            yield _unchecked(about, str(fault))
        except Exception as error:
            # Its message may quote what was read.
            yield _unchecked(about, f"it ended in {type(error).__name__}")


def _unchecked(about: str, why: str) -> Finding:
    return failure(about, f"could not be checked: {why}", "Fix that, and check again.")


def _tell(one: Finding) -> None:
    tell(f"{one.level:<4}  {one.about:<12}  {one.text}", style=_STYLES[one.level])
    if one.advice:
        tell_folded(one.advice, indent=20)
