"""Values that have their parameter's type are used as they are; all others are converted."""

import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from cli.command_group import make_part

ROOT = Path(__file__).parents[3]
_LIST = """
import sys
from cli.main import app
try:
    app(sys.argv[1:])
except SystemExit as ended:
    print(ended.code, "pydantic" in sys.modules)
"""


class Order(StrEnum):
    DATE = "date"
    STATUS = "status"


app = make_part()


@app.command()
def show(
    name: Annotated[str, typer.Argument()],
    *,
    order: Annotated[Order, typer.Option("--order")] = Order.DATE,
    limit: Annotated[int, typer.Option("--limit", min=1)] = 50,
    number: Annotated[str, typer.Option("--number", parser=str, envvar="A_NUMBER")] = "1",
    words: Annotated[list[str] | None, typer.Option("--word")] = None,
    is_short: Annotated[bool, typer.Option("--short")] = False,
    path: Annotated[Path | None, typer.Option("--path")] = None,
) -> None:
    values = (name, order, limit, number, words, is_short, path)
    typer.echo(" ".join(f"{type(one).__name__}:{one}" for one in values))


def _said(*arguments: str, environment: dict[str, str] | None = None) -> str:
    return CliRunner().invoke(app, [*arguments], env=environment).output.strip()


def test_defaults_are_passed_on_as_they_are() -> None:
    assert _said("a") == "str:a Order:date int:50 str:1 NoneType:None bool:False NoneType:None"


def test_values_are_converted_to_the_type_of_their_parameter() -> None:
    said = _said(
        "a", "--order", "status", "--limit", "7", "--word", "b", "--short", "--path", "c",
        environment={"A_NUMBER": "2"},
    )  # fmt: skip
    assert said == "str:a Order:status int:7 str:2 list:['b'] bool:True PosixPath:c"


@pytest.mark.parametrize(
    "options", [("--limit", "0"), ("--limit", "x"), ("--order", "name"), ("--limit", "")]
)
def test_a_value_that_cant_be_converted_is_refused(options: tuple[str, str]) -> None:
    result = CliRunner().invoke(app, ["a", *options])
    assert result.exit_code == 2
    assert f"Invalid value for '{options[0]}'" in result.output


def test_a_list_of_orders_needs_no_pydantic(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LIST, "orders", "list", "--provider", "spirii"],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PYTHONPATH": f"{ROOT}:{ROOT}/layers/core"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert "Which stack?" in done.stderr
    assert done.stdout.split() == ["2", "False"]
