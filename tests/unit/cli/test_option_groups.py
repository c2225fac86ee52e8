"""Options that belong together are one parameter of a command."""

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from cli.command_group import make_part
from cli.option_groups import with_groups_as_options


@dataclass(frozen=True, kw_only=True)
class Period:
    first_day: Annotated[str | None, typer.Option("--from")] = None
    last_day: Annotated[str, typer.Option("--to")]


def _app() -> typer.Typer:
    app = make_part()

    @app.command()
    def show(
        name: Annotated[str, typer.Argument()],
        *,
        period: Period,
        limit: Annotated[int, typer.Option("--limit")] = 5,
    ) -> None:
        typer.echo(f"{name} {period!r} {limit}")

    return app


def test_a_command_gets_the_options_of_a_group_as_one_value() -> None:
    said = CliRunner().invoke(_app(), ["a", "--from", "1", "--to", "2", "--limit", "7"]).output
    assert said.strip() == "a Period(first_day='1', last_day='2') 7"


def test_an_option_of_a_group_without_a_default_is_required() -> None:
    result = CliRunner().invoke(_app(), ["a"])
    assert result.exit_code == 2
    assert "Missing option '--to'" in result.output


def test_the_help_has_a_groups_options_in_its_place() -> None:
    said = CliRunner().invoke(_app(), ["--help"]).output
    assert said.index("--from") < said.index("--to") < said.index("--limit")
    assert "--period" not in said


def test_two_parameters_of_one_name_are_refused() -> None:
    def show(*, first_day: str = "", period: Period) -> None: ...

    with pytest.raises(TypeError, match="two parameters of one name"):
        with_groups_as_options(show)
