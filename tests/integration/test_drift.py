"""Changes in payloads, from the function that reads them to the one that tells the team."""

import json
from typing import Any

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from milepost.connections.aws.activity import ContactsTable
from milepost.connections.drift import LEARNED_AFTER, MISSED_AFTER
from tests.batches import sqs_batch
from tests.builders import OFFERGRID, offergrid_event
from tests.make_webhook_events import inbox_message
from tests.stack import Context, Stack, aws, event


def changes(stack: Stack) -> list[str]:
    table = ContactsTable(aws("dynamodb"), table_name=stack.resources["PollsTable"])
    return [str(one) for one in table.get(OFFERGRID.id).drift.changes]


def take(stack: Stack, *events: dict[str, Any]) -> None:
    app = stack.load("record_report")
    messages = [inbox_message(json.dumps(one), connection=OFFERGRID.id) for one in events]
    for start in range(0, len(messages), 10):
        assert not app.handler(sqs_batch(messages[start : start + 10]), Context())[
            "batchItemFailures"
        ]


def published(stack: Stack) -> list[str]:
    topic = sns_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].topics[stack.resources["AlarmsTopic"]]
    return [one[1] for one in topic.sent_notifications]


def test_a_new_status_word_is_shown_and_told_once(stack: Stack) -> None:
    stack.apply(OFFERGRID)
    take(stack, offergrid_event(newStatus="parked"), offergrid_event(newStatus="parked"))
    assert changes(stack) == ["unknown status parked"]
    watch = stack.load("watch_deadlines")
    for _ in range(2):
        watch.handler(event("watch_deadlines", "scheduled"), Context())
    (message,) = published(stack)
    assert "unknown status parked" in message


@pytest.mark.thorough
def test_new_and_missing_fields_of_webhooks_are_noticed_and_no_value_is_kept(stack: Stack) -> None:
    stack.apply(OFFERGRID)
    usual = offergrid_event()
    take(stack, *[usual] * LEARNED_AFTER)
    assert changes(stack) == []
    gone = {name: one for name, one in usual.items() if name != "previousStatus"}
    take(stack, *[{**gone, "visit": {"by": "Kim Example"}}] * MISSED_AFTER)
    assert changes(stack) == [
        "new field webhook: visit (object)",
        f"field webhook: previousStatus is missing (in {MISSED_AFTER} payloads in a row)",
    ]
    assert "Kim" not in json.dumps(
        [one for one in stack.items("PollsTable") if one["pk"].startswith("shape#")], default=str
    )
