"""Modules are long enough to be worth a file, and short enough to be read; so are functions."""

import ast
from collections.abc import Iterator

from tests.stack import ROOT

CORE = ROOT / "layers" / "core" / "milepost"
TEXTS = {
    str(one.relative_to(CORE)): one.read_text()
    for one in sorted(CORE.rglob("*.py"))
    if one.name != "__init__.py"
}
SHORT, LONG = 40, 350
SCREEN = 45
"""The most lines of a function, without its parameters and its docstring."""
MOST_PARAMETERS = 8
FOLDERS = ("layers/core", "functions", "cli", "local")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_no_module_is_too_long_to_be_read_at_once() -> None:
    assert {name: n for name, text in TEXTS.items() if (n := text.count("\n")) > LONG} == {}


def test_a_short_module_says_why_it_is_one() -> None:
    short = {name: text for name, text in TEXTS.items() if text.count("\n") < SHORT}
    assert [name for name, text in short.items() if "Short: " not in _first_lines(text)] == []


def test_a_function_fits_on_a_screen() -> None:
    assert {name: n for name, one in _functions() if (n := _lines(one)) > SCREEN} == {}


def test_a_function_has_few_parameters_unless_they_are_options_or_query_parameters() -> None:
    many = {name: n for name, one in _functions() if (n := _own_parameters(one)) > MOST_PARAMETERS}
    assert many == {}


def _functions() -> Iterator[tuple[str, Function]]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for one in ast.walk(ast.parse(path.read_text())):
                if isinstance(one, Function):
                    yield f"{path.relative_to(ROOT)}:{one.lineno} {one.name}", one


def _lines(function: Function) -> int:
    body = function.body[ast.get_docstring(function) is not None :]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def _own_parameters(function: Function) -> int:
    """0 for commands and routes, whose parameters are annotated with their descriptions."""
    given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    written = [ast.unparse(one.annotation) if one.annotation else "" for one in given]
    if any("Annotated[" in one for one in written):
        return 0
    return len([one for one in given if one.arg not in ("self", "cls")])


def _first_lines(text: str) -> str:
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n\n")[0]
