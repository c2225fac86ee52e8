"""Every code of a reason to look is known to the filters of lists."""

import ast
from importlib import import_module
from pathlib import Path

from milepost.orders.attention import CODES
from tests.stack import ROOT

CORE = ROOT / "layers" / "core"


def codes_in(path: Path) -> set[str]:
    """The first argument of each ``Attention(...)``: a text, or a constant of the module."""
    module = ".".join(path.relative_to(CORE).with_suffix("").parts)
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Attention"
    ]
    found = set()
    for call in calls:
        first = call.args[0] if call.args else None
        if isinstance(first, ast.Constant):
            found.add(str(first.value))
        elif isinstance(first, ast.Name):
            found.add(str(getattr(import_module(module), first.id)))
    return found


def test_the_filters_know_every_code_that_the_core_gives() -> None:
    used = set().union(*(codes_in(path) for path in (CORE / "milepost").rglob("*.py")))
    assert "missing_data" in used
    assert used == CODES
