"""Modules are long enough to be worth a file, and short enough to be read."""

import ast

from tests.stack import ROOT

CORE = ROOT / "layers" / "core" / "milepost"
TEXTS = {
    str(one.relative_to(CORE)): one.read_text()
    for one in sorted(CORE.rglob("*.py"))
    if one.name != "__init__.py"
}
SHORT, LONG = 40, 350


def test_no_module_is_too_long_to_be_read_at_once() -> None:
    assert {name: n for name, text in TEXTS.items() if (n := text.count("\n")) > LONG} == {}


def test_a_short_module_says_why_it_is_one() -> None:
    short = {name: text for name, text in TEXTS.items() if text.count("\n") < SHORT}
    assert [name for name, text in short.items() if "Short: " not in _first_lines(text)] == []


def _first_lines(text: str) -> str:
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n\n")[0]
