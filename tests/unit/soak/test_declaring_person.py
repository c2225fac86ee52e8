"""Who keeps connections.yaml does in each round what the commands say, and leaves it as it was."""

import json
from pathlib import Path
from threading import Event
from typing import Any, cast

import pytest
import yaml

from tests.soak import declaring_person
from tests.soak.declaring_person import CHANGED, GUEST, CommandFailed, Declarer

DECLARED = {
    "connections": [
        {"id": CHANGED, "poll": "1 minute", "signing": {"secrets": ["old"]}},
        {"id": "spirii-charge", "poll": "1 minute", "signing": {"secrets": ["other"]}},
    ]
}


class PastDueOrder(Declarer):
    """Commands are noted instead of run; of an applied file its connections and secrets."""

    def note(self, step: object) -> None:
        self.__dict__.setdefault("steps", []).append(step)

    def _run(self, *arguments: str) -> str:
        if arguments[1] == "apply":
            applied = yaml.safe_load(Path(arguments[2]).read_text())
            self.note((arguments[-1], [one["id"] for one in applied["connections"]]))
            self.note(applied["connections"][0]["signing"]["secrets"])
            return ""
        self.note(arguments[2:4])
        return json.dumps({"secrets": ["new"] if "--finish" in arguments else ["new", "old"]})


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was done in one round in which one secret is rotated."""
    one = PastDueOrder(
        stack=cast(Any, None),
        declared=json.loads(json.dumps(DECLARED)),
        turning={CHANGED: "accepted"},
    )

    class Account:
        def __init__(self, _stack: Any, connection: str) -> None:
            self.name = connection

        def sign_with(self, secrets: list[str]) -> None:
            one.note(("provider signs with", secrets))

        def create_orders(self, count: int) -> list[str]:
            return ["ord-1"] * count

        def move(self, order: str, move: dict[str, str]) -> None:
            one.note((order, move["status"]))

    monkeypatch.setattr(declaring_person, "SandboxAccount", Account)
    monkeypatch.setattr("time.sleep", lambda seconds: one.note(seconds > 25))
    stopped = Event()
    stopped.set()
    one.run(stopped)
    assert one.declared["connections"][0] == {
        **DECLARED["connections"][0],
        "notices_per_hour": 5001,
        "signing": {"secrets": ["new"]},
    }
    assert one.declared["connections"][1:] == DECLARED["connections"][1:]
    assert "subscriptions" not in one.declared
    found: list[Any] = one.__dict__["steps"]
    return found


def test_a_round_rotates_as_the_command_says_and_applies_and_prunes_one_more(
    steps: list[Any],
) -> None:
    assert steps == [
        ("rotate", CHANGED),
        ("--yes", [CHANGED, "spirii-charge", GUEST]),
        ["new", "old"],
        True,
        ("provider signs with", ["new"]),
        ("rotate", CHANGED),
        ("ord-1", "accepted"),
        ("--prune", [CHANGED, "spirii-charge"]),
        ["new"],
    ]


def test_what_a_command_refuses_ends_the_run_with_its_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_self: Declarer, *_arguments: str) -> str:
        raise CommandFailed("A rotation is under way")

    monkeypatch.setattr(Declarer, "_run", refuse)
    one = Declarer(
        stack=cast(Any, None),
        declared=json.loads(json.dumps(DECLARED)),
        turning={CHANGED: "accepted"},
    )
    with pytest.raises(CommandFailed, match="A rotation is under way"):
        one.run(Event())
