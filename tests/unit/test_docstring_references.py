"""Docstrings that name another module's class, as in ``recording.OrderStore``, name a real one."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.stack import ROOT

MODULES: Final = [
    one for name in ("layers/core/milepost", "cli", "local") for one in (ROOT / name).rglob("*.py")
]
NAMED: Final = re.compile(r"``([a-z_]+)\.([A-Z]\w+)(?:\.\w+)?``")
"""A class or constant of a module, by the module's own name."""


def names_in(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        match node:
            case ast.ClassDef(name=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name


def test_docstrings_name_classes_where_they_are() -> None:
    names = defaultdict(set)
    for module in MODULES:
        names[module.stem] |= set(names_in(module))
    wrong = [
        f"{module.relative_to(ROOT)}: {stem}.{name}"
        for module in MODULES
        for stem, name in NAMED.findall(module.read_text())
        if name not in names[stem]
    ]
    assert wrong == []
