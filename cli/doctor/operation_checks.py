"""Checks of operation: alarms, failures, dead letters, quarantine, polls and webhooks."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from cli.connections.health import troubles
from cli.doctor.findings import ExaminedStack, Finding, failure, ok, warning
from cli.errors import CannotDo
from cli.local_times import UTC_ZONE, read_zone
from milepost.connections.drift import in_words

_A_DAY: Final = timedelta(days=1)
_MOST_METRICS: Final = 100
"""Metrics of one question to CloudWatch; it takes 500."""
_A_PAGE: Final = 100
_MOST_CHANGES: Final = 5
_FAILS: Final = frozenset({"failing", "unusable"})
_WORTH_A_LOOK: Final = frozenset({"late", "waiting", "never_polled"})


def check_alarms(patient: ExaminedStack) -> Iterator[Finding]:
    """Whether no alarm of the stack is in ALARM."""
    ours = set(_required(patient, "AWS::CloudWatch::Alarm", "alarms").values())
    pages = patient.stack.client("cloudwatch").get_paginator("describe_alarms")
    ringing = [
        one
        for page in pages.paginate(StateValue="ALARM")
        for one in page["MetricAlarms"]
        if one["AlarmName"] in ours
    ]
    for one in ringing:
        yield failure(
            "alarms", f"{one['AlarmName']} is in ALARM", str(one.get("AlarmDescription", ""))
        )
    if not ringing:
        yield ok("alarms", f"{len(ours)} alarms, none in ALARM")


def check_functions(patient: ExaminedStack) -> Iterator[Finding]:
    """Whether a function has failed during the last day."""
    functions = _required(patient, "AWS::Lambda::Function", "functions")
    errors = _errors_of_a_day(patient, list(functions.values()))
    for name, number in sorted(errors.items()):
        yield warning(
            "functions",
            f"{name} failed {number:.0f} times within a day",
            f"Why: `aws logs tail /aws/lambda/{name} --since 1d --filter-pattern ERROR`",
        )
    if not errors:
        yield ok("functions", f"{len(functions)} functions, none failed within a day")


def check_sources(patient: ExaminedStack) -> Iterator[Finding]:
    """Whether every event source mapping of a queue or stream is enabled."""
    client = patient.stack.client("lambda")
    mappings = _required(patient, "AWS::Lambda::EventSourceMapping", "queues and streams")
    off = []
    for name, identity in sorted(mappings.items()):
        state = client.get_event_source_mapping(UUID=identity)["State"]
        if state not in {"Enabled", "Enabling", "Updating"}:
            off.append(name)
            yield failure(
                "sources",
                (f"{name} is {state.lower()}: it passes nothing to its function"),
                "Deploy again.",
            )
    if not off:
        yield ok("sources", f"{len(mappings)} queues and streams are enabled")


def check_dead_letters(patient: ExaminedStack) -> Iterator[Finding]:
    """Whether any message failed every retry."""
    queues = patient.api.get("/dead-letters")["items"]
    full = [one for one in queues if one["waiting"]]
    for one in full:
        yield failure(
            "dead letters",
            f"{one['waiting']} wait in {one['name']}",
            f"`milepost dead-letters show {one['name']}`, then `milepost redrive {one['name']}`",
        )
    if not full:
        yield ok("dead letters", f"{len(queues)} queues, all empty")


def check_quarantine(patient: ExaminedStack) -> Iterator[Finding]:
    """Whether the quarantine has payloads that could not be read."""
    found = patient.api.get("/quarantine", limit=_A_PAGE)
    number = f"{len(found['items'])}{' or more' if found['next'] else ''}"
    if found["items"]:
        yield warning(
            "quarantine",
            f"{number} could not be read",
            "`milepost quarantine list` says why; after a fix `milepost replay`.",
        )
    else:
        yield ok("quarantine", "empty")


def check_polls(patient: ExaminedStack) -> Iterator[Finding]:
    """Whether polls succeed and keep to their schedules."""
    moments, well, ill = read_zone(UTC_ZONE), 0, 0
    for one in patient.connections:
        condition = one["health"]["condition"]
        if condition == "not_applied":
            # What the schedules say of it is newer.
            continue
        said = " ".join(troubles(one, moments)) or condition.replace("_", " ")
        fix = f"`milepost connections poll {one['id']} --wait`"
        if condition in _FAILS:
            ill += 1
            yield failure("polls", f"{one['id']}: {said}", f"Fix the cause, then run {fix}.")
        elif condition in _WORTH_A_LOOK:
            ill += 1
            yield warning("polls", f"{one['id']}: {said}", f"If it remains: {fix}.")
        else:
            well += 1
    if not ill:
        yield ok("polls", f"{well} connections, none late")


def check_payloads(patient: ExaminedStack) -> Iterator[Finding]:
    """Whether providers' payloads still look as before."""
    changed = 0
    for one in patient.connections:
        for change in one.get("drift", [])[:_MOST_CHANGES]:
            changed += 1
            said = in_words(change["kind"], place=change["place"], detail=change["detail"])
            yield warning(
                "payloads",
                f"{one['id']}: {said}",
                "Check whether it has to be read (docs/add-a-provider.md#when-a-provider-changes).",
            )
    if not changed:
        yield ok("payloads", f"{len(patient.connections)} connections, no change within 30 days")


def check_webhooks(patient: ExaminedStack) -> Iterator[Finding]:
    """Whether every connection that receives webhooks has received one."""
    signing = patient.stored.signing
    silent = [
        one["id"]
        for one in patient.connections
        if one["id"] in signing and not one["health"]["last_webhook_at"]
    ]
    if silent:
        yield warning(
            "webhooks",
            f"no webhook has come yet: {', '.join(silent)}",
            f"`milepost send-test {silent[0]}` tests the webhook address; the "
            "provider needs the address and the secret.",
        )
    else:
        yield ok("webhooks", f"{len(signing)} connections have received webhooks")


def _required(patient: ExaminedStack, kind: str, what: str) -> dict[str, str]:
    """:raises CannotDo: if the stack has none, so that nothing was checked"""
    found = patient.resources(kind)
    if not found:
        raise CannotDo(f"the stack {patient.stack.name} has no {what}: is it a Milepost stack?")
    return found


def _errors_of_a_day(patient: ExaminedStack, functions: Sequence[str]) -> dict[str, float]:
    client, found = patient.stack.client("cloudwatch"), dict[str, float]()
    for first in range(0, len(functions), _MOST_METRICS):
        some = functions[first : first + _MOST_METRICS]
        answer = client.get_metric_data(
            MetricDataQueries=[_errors(name, number) for number, name in enumerate(some)],
            StartTime=patient.now - _A_DAY,
            EndTime=patient.now,
        )
        for one in answer["MetricDataResults"]:
            if one.get("StatusCode", "Complete") not in {"Complete", "PartialData"}:
                raise CannotDo(f"CloudWatch answered {one['StatusCode']} for its metrics")
            if total := sum(one.get("Values", [])):
                found[some[int(one["Id"].removeprefix("m"))]] = total
    return found


def _errors(function: str, number: int) -> Mapping[str, Any]:
    metric = {
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "FunctionName", "Value": function}],
    }
    statistic = {"Metric": metric, "Period": 3600, "Stat": "Sum"}
    return {"Id": f"m{number}", "MetricStat": statistic, "ReturnData": True}
