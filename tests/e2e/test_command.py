"""The operator's command on the deployed stack: what people ask of it day by day."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.conftest import HOME, Client, status_changed, wait_for

pytestmark = pytest.mark.e2e

SPIRII = "spirii-charge"
RABOT = "rabot-energy"
ZONE_OF_HOME = ZoneInfo("Australia/Melbourne")
"""As local/connections.yaml has it."""


@dataclass
class Desk:
    """Where an operator sits: in a directory from which the command finds the running stack."""

    client: Client
    place: Path

    def run(self, *arguments: str) -> CompletedProcess[str]:
        command = [Path(sys.prefix) / "bin" / "milepost", *arguments]
        return subprocess.run(command, cwd=self.place, check=False, capture_output=True, text=True)

    def say(self, *arguments: str) -> str:
        """What it prints when it does as it is told."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def tell(self, *arguments: str) -> Any:
        """The same, read as a script does."""
        return json.loads(self.say(*arguments, "--json"))

    def create(self, connection: str, **fields: Any) -> str:
        """The name of an order at the sandbox that a poll has brought in."""
        made = self.client.steer(connection, "orders", fields)
        name = str(made.get("orderId") or made.get("contractNumber") or made["id"])

        def known() -> bool:
            self.client.poll(connection)
            return self.run("orders", "show", name, "--connection", connection).returncode == 0

        wait_for(known, what=f"{name} to be taken in")
        return name

    def noted(self, connection: str, name: str) -> list[str]:
        """What the provider's staff were asked to do with an order."""
        listed = self.client.steer(connection, "actions", method="GET")["actions"]
        return [one["action"] for one in listed if one["order"] == name]


@pytest.fixture(scope="module")
def desk(client: Client, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    place = tmp_path_factory.mktemp("desk")
    (place / ".local").mkdir()
    (place / ".local" / "stack.json").write_text(json.dumps(asdict(client.stack)))
    return Desk(client, place)


def this_week() -> str:
    """The middle of the Wednesday of this week, which begins when it does where the order is."""
    today = datetime.now(ZONE_OF_HOME).date()
    wednesday = today - timedelta(days=today.weekday()) + timedelta(days=2)
    return f"{wednesday.isoformat()}T12:00:00Z"


@pytest.mark.thorough
def test_the_questions_of_a_day_are_answered(desk: Desk) -> None:
    order_id = desk.client.new_id("day")
    scheduled = status_changed(order_id, "scheduled") | {"scheduledFor": this_week()}
    desk.client.send(HOME, status_changed(order_id, "accepted"))
    desk.client.send(HOME, scheduled)
    desk.client.wait_for_status(HOME, order_id, "item-1", "scheduled")
    identity = f"{HOME}:{order_id}:item-1"

    # Which orders install this week?
    due = desk.tell("orders", "list", "--due", "this_week", "--status", "scheduled", "--all")
    assert identity in [one["id"] for one in due["orders"]]

    # What was told of it, and when?
    def delivered() -> bool:
        entries = desk.tell("notices", "list", order_id)
        return ("scheduled", "email", "delivered") in [
            (one["kind"], one["channel"], one["state"]) for one in entries
        ]

    wait_for(delivered, what="the mail of the appointment to be delivered")
    assert "scheduled to kim@example.org: delivered" in " ".join(
        desk.say("orders", "show", order_id).split()
    )

    # What can be done, and who did what?
    done = desk.tell("actions", "do", order_id, "note", "--note", "Called: suits them.")
    (shown,) = desk.tell("orders", "show", identity)["items"]
    assert shown["timeline"][-1]["person"] == done["person"]
    assert shown["timeline"][-1]["note"] == "Called: suits them."

    # What is stuck, and is the deployment well?
    assert desk.say("orders", "list", "--attention", "any", "--provider", "offergrid")
    examined = desk.run("doctor", "--json")
    said = json.loads(examined.stdout)
    assert {"secrets", "schedules", "alarms", "dead letters", "polls"} <= {o["about"] for o in said}
    # Other tests leave dead letters; nothing of what was deployed is wrong.
    failed = {one["about"] for one in said if one["level"] == "fail"}
    assert failed <= {"dead letters", "quarantine", "polls", "alarms", "functions"}, said
    assert [one for one in desk.tell("connections", "list") if one["id"] == HOME]


@pytest.mark.thorough
def test_actions_are_done_at_the_sandbox_and_called_off(desk: Desk) -> None:
    name = desk.create(SPIRII)
    at = (datetime.now(UTC) + timedelta(hours=2)).isoformat(timespec="seconds")
    desk.say("actions", "do", name, "resend_confirmation")
    planned = desk.tell("actions", "do", name, "fulfill", "--at", at, "--yes")
    assert planned["result"] == "planned"
    assert desk.tell("actions", "list", name)["planned"][0]["action"] == "fulfill"
    assert desk.tell("actions", "call-off", name, "fulfill")["result"] == "called_off"
    desk.say(
        "actions", "do", name, "cancel", "--reason", "Customer moved", "--key", f"c-{name}", "--yes"
    )
    assert desk.noted(SPIRII, name) == ["resend_confirmation", "cancel"]
    refused = desk.run("actions", "do", name, "fulfill")
    assert refused.returncode == 1
    assert "not possible for an order that is cancelled" in refused.stderr


@pytest.mark.thorough
def test_a_provider_is_asked_again_and_tells_nobody_unless_it_should(desk: Desk) -> None:
    name = desk.create(HOME)
    desk.client.steer(HOME, f"orders/{name}/move", {"status": "accepted", "webhook": False})
    desk.say("replay", "--order", name)
    (shown,) = desk.tell("orders", "show", name)["items"]
    assert (shown["status"], shown["announced"]) == ("accepted", [])


@pytest.mark.thorough
@pytest.mark.parametrize("connection", [HOME, SPIRII])
def test_the_way_of_a_webhook_is_tried_and_leaves_nothing(desk: Desk, connection: str) -> None:
    trial = desk.tell("send-test", connection)
    assert (trial["status"], trial["arrived"]) == (202, True)
    kept = desk.tell("quarantine", "list", "--connection", connection)["items"]
    assert not [one for one in kept if "send-test" in one["reason"]]


@pytest.mark.thorough
def test_what_could_not_be_read_is_shown_replayed_and_given_up(desk: Desk) -> None:
    marker = desk.client.new_id("odd")
    desk.client.send(HOME, json.dumps({"event": marker}).encode())

    def kept() -> list[Any]:
        found = desk.tell("quarantine", "list", "--connection", HOME, "--since", "1h")["items"]
        return [one for one in found if marker in desk.say("quarantine", "show", one["id"])]

    (one,) = wait_for(kept, what="the quarantine to have it")
    desk.say("quarantine", "replay", one["id"])
    desk.say("quarantine", "discard", one["id"], "--yes")


@pytest.mark.thorough
def test_figures_and_queues_are_told(desk: Desk) -> None:
    assert desk.tell("stages")["months"]
    assert "commissions" in desk.tell("commissions")
    queues = {one["name"] for one in desk.tell("dead-letters", "list")}
    assert {"inbox", "email", "announce"} <= queues
    health = {one["id"]: one["health"] for one in desk.tell("connections", "list")}
    assert health[RABOT]["condition"] in {"works", "late", "waiting", "never_polled", "not_polled"}
