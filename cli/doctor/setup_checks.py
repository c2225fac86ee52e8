"""Checks of the setup: the stack itself, connections, their secrets and schedules."""

from collections.abc import Iterator

from cli.connections.overview import missing_credentials
from cli.connections.schedules import Schedule
from cli.connections.signing_forms import has_form
from cli.doctor.findings import ExaminedStack, Finding, failure, ok, warning


def check_stack(patient: ExaminedStack) -> Iterator[Finding]:
    """Whether the last deployment succeeded."""
    status = patient.described["StackStatus"]
    if status.endswith("ROLLBACK_COMPLETE"):
        yield warning(
            "stack",
            f"the last deployment was rolled back ({status})",
            "`aws cloudformation describe-stack-events --stack-name "
            f"{patient.stack.name}` says why; then deploy again.",
        )
    elif status.endswith("_COMPLETE"):
        yield ok("stack", status)
    else:
        yield failure("stack", status, "Wait until the deployment has ended, or fix it.")


def check_secrets(patient: ExaminedStack) -> Iterator[Finding]:
    """Whether each connection has the secrets that its provider requires."""
    stored = patient.stored
    yield from _unusable(patient)
    if not stored.ids:
        yield failure(
            "connections", "there are none", "`milepost connections apply connections.yaml`"
        )
        return
    faults = len(stored.unusable)
    for name in sorted(stored.settings):
        if missing := missing_credentials(name, stored):
            faults += 1
            yield failure(
                "secrets",
                f"{name} lacks {', '.join(missing)}",
                f"`milepost connections secret set {name} {missing[0]}`",
            )
    for name in sorted(stored.signing):
        if fault := _signing_fault(patient, name):
            faults += 1
            yield fault
    if not faults:
        yield ok("secrets", (f"{len(stored.settings)} connections have all of them"))


def _unusable(patient: ExaminedStack) -> Iterator[Finding]:
    for name, reasons in sorted(patient.stored.unusable.items()):
        for why in reasons:
            yield failure(
                "connections",
                f"{name}: {why}",
                "Nothing is done for this connection until that is corrected; "
                "the others continue. Apply the connections' file again, or "
                "run `milepost connections secret set`.",
            )
    for one in patient.stored.unreadable_subscriptions:
        yield failure(
            "subscriptions",
            f"{one} can't be read: nobody is notified by this subscription",
            f"Apply the connections' file again, or delete it (`DELETE /subscriptions/{one}`).",
        )


def check_schedules(patient: ExaminedStack) -> Iterator[Finding]:
    """Whether each connection with a polling schedule has an enabled schedule."""
    stored = patient.stored
    without = sorted({*stored.schedules} - {*stored.settings, *stored.unusable})
    faults = len(without)
    for name in without:
        yield failure(
            "schedules",
            f"{name} has a schedule but no settings: each of its polls fails",
            "Apply the connections' file again: with it in the file, or with --prune without it.",
        )
    for name, settings in sorted(stored.settings.items()):
        schedule = stored.schedules.get(name)
        if settings.poll_minutes is None:
            continue
        if schedule is None:
            faults += 1
            yield failure("schedules", f"{name} has none", "Apply the connections' file again.")
        elif schedule["State"] != "ENABLED":
            faults += 1
            yield warning(
                "schedules",
                f"{name} is paused: nothing is polled",
                "Apply the connections' file again, or enable it in EventBridge Scheduler.",
            )
        elif not patient.stores.schedules.is_kept(
            name, Schedule(*_rate(schedule["ScheduleExpression"])), schedule
        ):
            faults += 1
            yield warning(
                "schedules",
                f"the schedule of {name} is not as it was applied",
                "Apply the connections' file again.",
            )
    if not faults:
        polled = sum(one.poll_minutes is not None for one in stored.settings.values())
        yield ok("schedules", f"{polled} connections are polled")


def _rate(expression: str) -> tuple[int, str]:
    count, unit = expression.removeprefix("rate(").removesuffix(")").split()
    return int(count), unit.removesuffix("s")


def _signing_fault(patient: ExaminedStack, name: str) -> Finding | None:
    entry = patient.stored.signing[name]
    secrets = patient.stored.signing_secrets(name)
    fix = f"`milepost connections secret set {name} signing`"
    if not secrets:
        return failure("secrets", f"{name} has no signing secret: no webhook is accepted", fix)
    if not all(has_form(entry["scheme"], one) for one in secrets):
        return failure(
            "secrets", (f"{name} has a signing secret that is not valid for {entry['scheme']}"), fix
        )
    if len(secrets) > 1:
        return warning(
            "secrets",
            f"{name} has {len(secrets)} active signing secrets: a rotation is in progress",
            f"`milepost connections secret rotate {name} --finish` when the new one is in use.",
        )
    return None
