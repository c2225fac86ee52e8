"""Subscriptions of chats through the API: nobody is shown the address of a webhook."""

import json

import pytest

from milepost.notifications.chat.addresses import webhook_name
from tests.integration.operations_api.requests import Ask
from tests.stack import Stack

ADDRESS = "https://hooks.slack.com/services/T0/B0/SECRET"
SLACK = {"slack": ADDRESS, "owner": "it@example.org", "mode": "hourly", "customer_names": True}
WORKFLOW = "https://prod-1.westeurope.logic.azure.com/workflows/a?sig=SECRET"
TEAMS = {"teams": WORKFLOW, "owner": "it@example.org"}


@pytest.mark.parametrize(("asked", "channel"), [(SLACK, "slack"), (TEAMS, "teams")])
def test_the_address_of_a_webhook_goes_into_the_secret_alone(
    ask: Ask, stack: Stack, asked: dict[str, str], channel: str
) -> None:
    made = ask("POST", "/subscriptions", asked)
    assert made.status == 201
    assert (made.body["channel"], made.body["secret"]) == (channel, None)
    assert made.body["recipient"] == webhook_name(asked[channel])
    assert stack.kept_secret("EndpointSecrets") == {made.body["id"]: asked[channel]}
    listed = ask("GET", "/subscriptions").body
    items = [*stack.items("NoticesTable"), *stack.items("ActivityTable")]
    assert "SECRET" not in json.dumps([made.body, listed, items], default=str)
    assert ask("POST", f"/subscriptions/{made.body['id']}/rotate-secret").status == 409
    ask("DELETE", f"/subscriptions/{made.body['id']}")
    assert stack.kept_secret("EndpointSecrets") == {}


def test_a_chats_settings_are_changed_without_its_address(ask: Ask, stack: Stack) -> None:
    made = ask("POST", "/subscriptions", SLACK).body
    path = f"/subscriptions/{made['id']}"
    changed = ask("PUT", path, {**SLACK, "slack": made["recipient"], "mode": "daily"})
    assert (changed.status, changed.body["mode"]) == (200, "daily")
    assert stack.kept_secret("EndpointSecrets") == {made["id"]: ADDRESS}
    assert ask("PUT", path, {**SLACK, "slack": f"{ADDRESS}2"}).status == 409


@pytest.mark.parametrize(
    "asked",
    [
        {**SLACK, "slack": "https://evil.example/services/SECRET"},
        {**SLACK, "slack": "http://hooks.slack.com/services/SECRET"},
        {**SLACK, "slack": webhook_name(ADDRESS)},
        {**SLACK, "teams": WORKFLOW},
        {"slack": ADDRESS},
        {"email": "sales@example.org", "customer_names": True},
        {"teams": "https://tenant.webhook.office.com/webhookb2/SECRET", "owner": "it@example.org"},
    ],
)
def test_what_is_no_webhook_is_refused_without_quoting_it(
    ask: Ask, stack: Stack, asked: dict[str, str]
) -> None:
    refused = ask("POST", "/subscriptions", asked)
    assert refused.status == 422
    assert "SECRET" not in json.dumps(refused.body)
    assert stack.items("NoticesTable") == []
