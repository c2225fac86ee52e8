"""The operator's command on the deployed stack: what people ask of it day by day."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.conftest import HOME, Client, status_changed, wait_for

pytestmark = pytest.mark.e2e

SPIRII = "spirii-charge"
RABOT = "rabot-energy"


def say(client: Client, *arguments: str, expect: int = 0) -> str:
    done = client.run(*arguments, "--stack", client.stack.stack_name)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr if expect else done.stdout


def tell(client: Client, *arguments: str) -> Any:
    return json.loads(say(client, *arguments, "--json"))


def this_week() -> str:
    """An instant of this week in every time zone: the middle of its Wednesday."""
    now = datetime.now(UTC)
    wednesday = now.date() - timedelta(days=now.weekday()) + timedelta(days=2)
    return f"{wednesday.isoformat()}T12:00:00Z"


def create(client: Client, connection: str, **fields: Any) -> str:
    """An order at the sandbox that a poll has brought in."""
    made = client.steer(connection, "orders", fields)
    name = made.get("orderId") or made.get("contractNumber") or made["id"]
    say(client, "connections", "poll", connection, "--wait")
    wait_for(
        lambda: client.run("orders", "show", name, "--connection", connection).returncode == 0,
        what=f"{name} to be taken in",
    )
    return str(name)


def noted(client: Client, connection: str, name: str) -> list[str]:
    listed = client.steer(connection, "actions", method="GET")["actions"]
    return [one["action"] for one in listed if one["order"] == name]


def test_the_questions_of_a_day_are_answered(client: Client) -> None:
    order_id = client.new_id("day")
    scheduled = status_changed(order_id, "scheduled") | {"scheduledFor": this_week()}
    client.send(HOME, status_changed(order_id, "accepted"))
    client.send(HOME, scheduled)
    client.wait_for_status(HOME, order_id, "item-1", "scheduled")
    identity = f"{HOME}:{order_id}:item-1"

    # Which orders install this week?
    due = tell(client, "orders", "list", "--due", "this_week", "--status", "scheduled", "--all")
    assert identity in [one["id"] for one in due["orders"]]

    # What was told of it, and when?
    def delivered() -> bool:
        entries = tell(client, "notices", "list", order_id)
        return {"delivered"} <= {one["state"] for one in entries if one["channel"] == "email"}

    wait_for(delivered, what="a mail of it to be delivered")
    assert "scheduled to kim@example.org: delivered" in " ".join(
        say(client, "orders", "show", order_id).split()
    )

    # What can be done, and who did what?
    done = tell(client, "actions", "do", order_id, "note", "--note", "Called: suits them.")
    (shown,) = tell(client, "orders", "show", identity)["items"]
    assert shown["timeline"][-1]["person"] == done["person"]
    assert shown["timeline"][-1]["note"] == "Called: suits them."

    # What is stuck, and is the deployment well?
    assert say(client, "orders", "list", "--attention", "any", "--provider", "offergrid")
    examined = client.run("doctor", "--json", "--stack", client.stack.stack_name)
    found = {one["about"] for one in json.loads(examined.stdout)}
    assert {"secrets", "schedules", "alarms", "dead letters", "polls"} <= found


@pytest.mark.thorough
def test_actions_are_done_at_the_sandbox_and_called_off(client: Client) -> None:
    name = create(client, SPIRII)
    at = (datetime.now(UTC) + timedelta(hours=2)).isoformat(timespec="seconds")
    say(client, "actions", "do", name, "resend_confirmation")
    planned = tell(client, "actions", "do", name, "fulfill", "--at", at)
    assert planned["result"] == "planned"
    assert tell(client, "actions", "list", name)["planned"][0]["action"] == "fulfill"
    assert tell(client, "actions", "call-off", name, "fulfill")["result"] == "called_off"
    say(client, "actions", "do", name, "cancel", "--reason", "Customer moved", "--key", f"c-{name}")
    assert noted(client, SPIRII, name) == ["resend_confirmation", "cancel"]
    refused = say(client, "actions", "do", name, "fulfill", expect=1)
    assert "not possible for an order that is cancelled" in refused


@pytest.mark.thorough
def test_a_provider_is_asked_again_and_tells_nobody_unless_it_should(client: Client) -> None:
    name = create(client, HOME)
    client.steer(HOME, f"orders/{name}/move", {"status": "accepted", "webhook": False})
    say(client, "replay", "--order", name)
    (shown,) = tell(client, "orders", "show", name)["items"]
    assert (shown["status"], shown["announced"]) == ("accepted", [])


@pytest.mark.thorough
@pytest.mark.parametrize("connection", [HOME, SPIRII])
def test_the_way_of_a_webhook_is_tried_and_leaves_nothing(client: Client, connection: str) -> None:
    trial = tell(client, "send-test", connection)
    assert (trial["status"], trial["arrived"]) == (202, True)
    kept = tell(client, "quarantine", "list", "--connection", connection)["items"]
    assert not [one for one in kept if "send-test" in one["reason"]]


@pytest.mark.thorough
def test_what_could_not_be_read_is_shown_replayed_and_given_up(client: Client) -> None:
    marker = client.new_id("odd")
    client.send(HOME, json.dumps({"event": marker}).encode())

    def kept() -> list[Any]:
        found = tell(client, "quarantine", "list", "--connection", HOME, "--since", "1h")["items"]
        return [one for one in found if marker in say(client, "quarantine", "show", one["id"])]

    (one,) = wait_for(kept, what="the quarantine to have it")
    say(client, "quarantine", "replay", one["id"])
    say(client, "quarantine", "discard", one["id"], "--yes")


@pytest.mark.thorough
def test_figures_and_queues_are_told(client: Client) -> None:
    assert tell(client, "stages")["months"]
    assert "commissions" in tell(client, "commissions")
    queues = {one["name"] for one in tell(client, "dead-letters", "list")}
    assert {"inbox", "email", "announce"} <= queues
    health = {one["id"]: one["health"] for one in tell(client, "connections", "list")}
    assert health[RABOT]["condition"] in {"works", "late", "waiting", "never_polled", "not_polled"}
