"""The template's alarms: each promise has its own, and each says whom it notifies and why."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.template import (
    DOCUMENTED,
    FUNCTIONS,
    QUEUES,
    ROOT,
    of_type,
)


def test_every_dead_letter_queue_has_an_alarm() -> None:
    """By watch_deadlines, which counts what waits in each, for OpenProblemsAlarm."""
    variables = FUNCTIONS["WatchDeadlinesFunction"]["Environment"]["Variables"]
    watched = re.findall(r"\$\{(\w+)\.QueueName\}", variables["DEAD_LETTERS"]["Sub"])
    work_queues = {n for n, queue in QUEUES.items() if "RedrivePolicy" in queue}
    assert set(QUEUES) - work_queues == set(watched)


def test_every_alarm_has_a_heading_in_the_runbook() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
        heading = alarm["AlarmDescription"].partition('"')[2].rstrip('".')
        assert f"## {heading}\n" in runbook, f"{name}: {heading}"


ALARMS = of_type("AWS::CloudWatch::Alarm")


OURS = "Milepost/${AWS::StackName}"
"""The namespace of the metrics of one stack."""


FAILED_FOR_GOOD = (OURS, "Failures", "milepost")
"""Sent beside the metric of each kind: tests/integration/test_alarms.py."""


WAITS = (OURS, "OpenProblems", "milepost")
"""Sent by watch_deadlines: dead letters, late polls, connections that can't be used."""


PROMISES: Mapping[str, set[tuple[str, str, str]]] = {
    "what could not be done waits for a person": {WAITS},
    "each connection is polled, and one that can't be used is named": {WAITS},
    "what can't be read is kept; a notice or a planned action that fails is told": {
        FAILED_FOR_GOOD
    },
    "that is measured": {("AWS/Lambda", "Invocations", "WatchDeadlinesFunction")},
    "what nobody expected is told": {(OURS, "FunctionFailures", "")},
    "changes are announced in time": {("AWS/Lambda", "IteratorAge", "AnnounceFunction")},
    "nobody is accepted without a signature": {(OURS, "RefusedWebhooks", "bad_signature")},
    "without a secret nobody is, and 2xx means that it is in the inbox": {FAILED_FOR_GOOD},
    "and the inbox is emptied": {("AWS/SQS", "ApproximateAgeOfOldestMessage", "InboxQueue")},
    "mails arrive": {
        ("AWS/SES", "Reputation.BounceRate", ""),
        ("AWS/SES", "Reputation.ComplaintRate", ""),
    },
    "who asks is answered": {("AWS/ApiGateway", "5xx", "Api"), FAILED_FOR_GOOD},
}


def namespace(alarm: Mapping[str, Any]) -> str:
    """The namespace of an alarm's metric, as the template writes it."""
    said = alarm["Namespace"]
    return str(said["Sub"] if isinstance(said, dict) else said)


def of_what(alarm: Mapping[str, Any]) -> str:
    """The resources, or plain values, that an alarm's dimensions name."""
    values = [one["Value"] for one in alarm.get("Dimensions", [])]
    names = [next(iter(v.values())) if isinstance(v, dict) else v for v in values]
    return " ".join(name.partition(".")[0] for name in names)


@pytest.mark.parametrize("promise", PROMISES)
def test_each_promise_has_its_alarm(promise: str) -> None:
    watched = {(namespace(one), one["MetricName"], of_what(one)) for one in ALARMS.values()}
    assert PROMISES[promise] <= watched


def test_no_alarm_is_paid_for_that_no_promise_needs() -> None:
    watched = [(namespace(one), one["MetricName"], of_what(one)) for one in ALARMS.values()]
    assert sorted(watched) == sorted(set[tuple[str, str, str]]().union(*PROMISES.values()))


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_tells_somebody_and_says_what_no_data_means(name: str) -> None:
    assert ALARMS[name]["AlarmActions"] == [{"Ref": "AlarmsTopic"}]
    means = ALARMS[name]["TreatMissingData"]
    if means == "missing":
        assert ALARMS[name]["InsufficientDataActions"] == [{"Ref": "AlarmsTopic"}]
    else:
        assert means in ("notBreaching", "breaching", "ignore")


@pytest.mark.parametrize("name", [n for n, one in ALARMS.items() if namespace(one) != OURS])
def test_an_alarm_on_a_metric_of_aws_names_it_as_aws_does(name: str) -> None:
    alarm = ALARMS[name]
    dimensions = frozenset(one["Name"] for one in alarm.get("Dimensions", []))
    assert dimensions in DOCUMENTED[alarm["Namespace"], alarm["MetricName"]]
