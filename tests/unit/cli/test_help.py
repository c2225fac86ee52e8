"""What every command says of itself, and the options that all have."""

import shlex

import pytest
from typer.testing import CliRunner

from cli.command_group import make_part
from cli.main import app
from cli.stack import StackOption
from cli.stack_choice import StackChoice
from tests.unit.cli.every_command import COMMANDS


@pytest.mark.parametrize("words", COMMANDS)
def test_each_help_ends_with_an_example_that_can_be_typed(words: str) -> None:
    command = COMMANDS[words]
    shown = [line.strip("`") for line in command.epilog.splitlines() if line.startswith("`")]
    assert shown
    for example in shown:
        assert example.startswith(f"milepost {words}")
        arguments = shlex.split(example.removeprefix(f"milepost {words}").partition(" > ")[0])
        command.make_context(words, arguments)


OFFLINE = {"providers test", "providers new", "providers schema"}
"""What they do is with files alone."""


@pytest.mark.parametrize("words", [one for one in COMMANDS if one not in OFFLINE])
def test_each_command_that_finds_a_stack_takes_its_region_and_profile(words: str) -> None:
    names = {one.name for one in COMMANDS[words].params}
    assert "stack" in names
    assert {"region", "profile"} <= names


NO_ROWS = {"actions list"}
"""What an order allows: each action with its options."""


@pytest.mark.parametrize(
    "words", [one for one in COMMANDS if one.endswith(" list") and one not in NO_ROWS]
)
def test_each_list_can_be_printed_as_csv_and_json(words: str) -> None:
    assert {"as_csv", "as_json"} <= {one.name for one in COMMANDS[words].params}


def test_region_and_profile_reach_the_command_with_the_stack_name() -> None:
    part = make_part()
    seen: list[StackChoice | None] = []

    @part.command("look")
    def look(*, stack: StackOption = None) -> None:
        """Look."""
        seen.append(stack)

    given = ["--stack", "a", "--region", "eu-west-1", "--profile", "ops"]
    assert CliRunner().invoke(part, given).exit_code == 0
    assert seen == [StackChoice(name="a", region="eu-west-1", profile="ops")]


def test_the_version_is_printed() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert result.exit_code == 0
    assert result.stdout.startswith("milepost ")
