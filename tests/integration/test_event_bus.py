"""The event bus: what is put on it, and what the rules of the example match."""

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator
from samcli.yamlhelper import yaml_parse

from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.notifications.announcement_schema import json_schema
from tests.builders import minute, report
from tests.integration.crash_injection import subscribe_a_queue, subscribe_a_queue_to_a_bus
from tests.integration.recorded_orders import keep
from tests.permissions import Use, Watch, grants, unused
from tests.stack import ROOT, Context, Stack, aws, event

EXAMPLE: Final = yaml_parse((ROOT / "docs/examples/event-bus.yaml").read_text())["Resources"]
VALIDATOR: Final = Draft202012Validator(json_schema())


@pytest.fixture
def app(stack: Stack) -> ModuleType:
    subscribe_a_queue(stack)
    subscribe_a_queue_to_a_bus(stack)
    return stack.load("announce")


def on_the_bus(stack: Stack) -> list[dict[str, Any]]:
    """The CloudEvents that a rule for everything has delivered."""
    return [message["detail"] for message in stack.messages("BusSubscriber")]


def published(stack: Stack) -> list[dict[str, Any]]:
    return [json.loads(message["Message"]) for message in stack.messages("Subscriber")]


def entries(stack: Stack) -> dict[str, dict[str, Any]]:
    """The log's entries of the topic and the bus, by channel."""
    notices = [one for one in stack.items("NoticesTable") if one["sk"].startswith("notice#")]
    return {one["channel"]: one for one in notices if one["channel"] in ("sns", "event_bus")}


def test_an_announcement_is_one_event_with_exactly_what_the_topic_gets(
    app: ModuleType, stack: Stack
) -> None:
    for _ in range(2):
        assert app.handler(event("announce", "rejected"), Context()) == {"batchItemFailures": []}
    [told] = on_the_bus(stack)
    VALIDATOR.validate(told)
    assert [told["data"]] == published(stack)
    assert (told["type"], told["source"]) == (
        "milepost.order.rejected.v1",
        "/milepost/milepost-test",
    )
    logged = entries(stack)["event_bus"]
    assert (logged["state"], logged["recipient"]) == ("sent", "EventBus")
    assert logged["message_id"]


def test_the_permission_to_put_events_is_used_and_is_for_this_bus_alone(
    app: ModuleType, permitted: Watch
) -> None:
    app.handler(event("announce", "accepted"), Context())
    put = Use("events:PutEvents", "EventBus")
    assert ("announce", put) in permitted.asked
    for function in ("announce", "watch_deadlines"):
        granted = [one.use for one in grants(function) if one.use.action.startswith("events:")]
        assert granted == [put]
        assert put in [one.use for one in unused(function, ())]


def test_a_stack_without_a_bus_puts_nothing_and_logs_nothing(stack: Stack) -> None:
    subscribe_a_queue(stack)
    stack.load("announce").handler(event("announce", "accepted"), Context())
    assert entries(stack).keys() == {"sns"}


def test_with_the_envelope_the_topic_gets_the_event_itself(stack: Stack) -> None:
    subscribe_a_queue(stack)
    subscribe_a_queue_to_a_bus(stack)
    stack.chosen["TOPIC_ENVELOPE"] = "cloudevents"
    stack.load("announce").handler(event("announce", "scheduled"), Context())
    [message] = published(stack)
    VALIDATOR.validate(message)
    assert [message] == on_the_bus(stack)


def test_while_the_bus_is_away_records_come_back_and_then_each_is_put_and_published_once(
    app: ModuleType, stack: Stack, logged: Callable[[], str]
) -> None:
    batch, events = event("announce", "accepted"), aws("events")
    events.remove_targets(Rule="everything", EventBusName="EventBus", Ids=["queue"])
    events.delete_rule(Name="everything", EventBusName="EventBus")
    events.delete_event_bus(Name="EventBus")
    number = batch["Records"][0]["dynamodb"]["SequenceNumber"]
    assert app.handler(batch, Context()) == {"batchItemFailures": [{"itemIdentifier": number}]}
    assert len(published(stack)) == 1
    assert "failed to announce" in logged()
    del stack.resources["EventBus"]
    subscribe_a_queue_to_a_bus(stack)
    assert app.handler(batch, Context()) == {"batchItemFailures": []}
    assert len(on_the_bus(stack)) == 1
    assert published(stack) == []


def test_an_entry_that_eventbridge_does_not_take_is_put_again(
    app: ModuleType, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = app.teller.bus
    put, answers = bus._client.put_events, ["ThrottlingException", "InternalFailure"]

    class Partly:
        """EventBridge that answers 200 and has failed the entry, twice."""

        def put_events(self, **asked: Any) -> Any:
            if answers:
                failed = {"ErrorCode": answers.pop(), "ErrorMessage": "not now"}
                return {"FailedEntryCount": 1, "Entries": [failed]}
            return put(**asked)

    monkeypatch.setattr(bus, "_client", Partly())
    monkeypatch.setattr(bus, "_pause", lambda _seconds: None)
    assert app.handler(event("announce", "accepted"), Context()) == {"batchItemFailures": []}
    assert len(on_the_bus(stack)) == 1
    assert entries(stack)["event_bus"]["state"] == "sent"


def test_what_was_never_announced_is_put_by_the_watch(stack: Stack) -> None:
    subscribe_a_queue(stack)
    subscribe_a_queue_to_a_bus(stack)
    keep(stack, report(Status.ACCEPTED, 0))
    watch = stack.load("watch_deadlines")
    for later in (90, 120):
        watch.handler({"now": format_instant(minute(later))}, Context())
    [told] = on_the_bus(stack)
    assert told["type"] == "milepost.order.accepted.v1"
    assert [told["data"]] == published(stack)


@pytest.mark.parametrize(
    ("rule", "name", "matches"),
    [
        ("RejectedRule", "rejected", True),
        ("RejectedRule", "accepted", False),
        ("ScheduledRule", "scheduled", True),
        ("ScheduledRule", "rescheduled", True),
        ("ScheduledRule", "cancelled", False),
    ],
)
def test_the_rules_of_the_example_match_what_they_say(
    rule: str, name: str, matches: bool, app: ModuleType, stack: Stack
) -> None:
    pattern = EXAMPLE[rule]["Properties"]["EventPattern"]
    aws("events").put_rule(
        Name="everything", EventBusName="EventBus", EventPattern=json.dumps(pattern)
    )
    app.handler(event("announce", name), Context())
    assert bool(on_the_bus(stack)) is matches
