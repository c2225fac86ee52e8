"""Each table's primary keys are built and parsed in one module."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.template import ROOT, of_type

CORE: Final = ROOT / "layers/core/milepost"
HOMES: Final = {
    "ActivityTable": "activity/aws/log.py",
    "BatchesTable": "actions/aws/batches.py",
    "ErasuresTable": "orders/aws/erasures_keys.py",
    "ExportsTable": "exports/aws/table.py",
    "FiguresTable": "aws/figures_keys.py",
    "NoticesTable": "aws/notices_keys.py",
    "OrdersTable": "orders/aws/orders_keys.py",
    "PollsTable": "aws/polls_keys.py",
    "SearchTable": "queries/aws/search_keys.py",
    "SessionsTable": "console/aws/sessions.py",
    "TouchedTable": "polling/aws/touched_orders.py",
    "ViewsTable": "queries/aws/saved_views.py",
}
OF_INDEXES: Final = {"notifications/aws/list_keys.py", "orders/aws/index_keys.py"}
NO_KEYS: Final = {
    "api/routes/export_lists.py": "the beginning of a cursor",
    "api/routes/exports.py": "whose idempotency key it is",
    "notifications/cloud_event.py": "the address of a schema",
    "operations/erasure/encoded_text.py": "a character of HTML's references",
    "orders/order.py": "a code in the timeline",
    "orders/timeline_summary.py": "a code in the timeline",
    "providers/declared/file_parts.py": "a comment of the file",
}
"""Modules in which a ``#`` in a string is something else."""


def composed_keys(module: Path) -> Iterator[str]:
    """The strings of a module in which ``#`` stands between the parts of a key, or ends the first.

    Those that begin with it are placeholders of an expression of DynamoDB, such as ``#state``.
    """
    tree = ast.parse(module.read_text())
    parts = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts |= set(map(id, node.values))
            for place, part in enumerate(node.values):
                joins = r"(^|\w)#" if place else r"\w#"
                if isinstance(part, ast.Constant) and re.search(joins, str(part.value)):
                    yield ast.unparse(node)
    for node in ast.walk(tree):
        is_part = id(node) in parts or not isinstance(node, ast.Constant)
        if not is_part and re.fullmatch(r"([\w ]*\w)?#", str(node.value)):
            yield ast.unparse(node)


def test_every_table_has_a_home_for_its_keys() -> None:
    assert HOMES.keys() == of_type("AWS::DynamoDB::Table").keys()
    assert len(set(HOMES.values())) == len(HOMES)


@pytest.mark.parametrize("table", HOMES)
def test_a_tables_keys_are_in_their_home(table: str) -> None:
    text = (CORE / HOMES[table]).read_text()
    assert table in text
    assert '"pk": ' in text


def test_no_other_module_builds_or_parses_keys() -> None:
    modules = {str(one.relative_to(CORE)): one for one in CORE.rglob("*.py")}
    elsewhere = modules.keys() - set(HOMES.values()) - OF_INDEXES - NO_KEYS.keys()
    found = {name: keys for name in sorted(elsewhere) if (keys := [*composed_keys(modules[name])])}
    assert found == {}


@pytest.mark.parametrize("module", NO_KEYS)
def test_an_exception_has_a_reason(module: str) -> None:
    assert list(composed_keys(CORE / module))


@pytest.mark.parametrize("folder", ["cli", "local", "functions"])
def test_nothing_beside_the_packages_builds_keys(folder: str) -> None:
    keys = {key for one in (ROOT / folder).rglob("*.py") for key in composed_keys(one)}
    assert keys - {repr("#")} == set()  # the command reads files with comments
