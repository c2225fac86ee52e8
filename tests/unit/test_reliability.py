"""docs/reliability.md names tests that there are."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.stack import ROOT

NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs/reliability.md").read_text())


@cache
def names_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text())
    return frozenset(one.name for one in tree.body if isinstance(one, ast.FunctionDef))


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)))
def test_a_test_that_the_document_names_exists(path: str, name: str) -> None:
    assert name in names_in(ROOT / path), f"docs/reliability.md names {path}::{name}"


def test_each_row_names_what_shows_it() -> None:
    rows = [
        row for row in (ROOT / "docs/reliability.md").read_text().splitlines() if row[:1] == "|"
    ]
    cases = [row for row in rows if "shown by" not in row and not row.startswith("|---")]
    assert len(cases) > 40
    assert [row for row in cases if "`tests/" not in row] == []
