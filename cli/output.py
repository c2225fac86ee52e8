"""What the operator sees: plain lines, tables that fit the terminal, or JSON for scripts."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_out = Console(highlight=False, markup=False)
_err = Console(highlight=False, markup=False, stderr=True)


def tell(text: str | Text = "", *, style: str | None = None) -> None:
    """One line on standard output; long lines are left to the terminal, so that they copy whole."""
    _out.print(Text(text) if isinstance(text, str) else text, style=style, soft_wrap=True)


def warn(text: str, *, style: str | None = None) -> None:
    """One line on standard error, beside whatever a script reads."""
    _err.print(Text(text), style=style, soft_wrap=True)


def tell_json(value: Any) -> None:
    """The value as JSON on standard output, and nothing else."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def tell_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table as wide as the terminal allows; long cells are folded, never cut."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    _out.print(table)


def is_interactive() -> bool:
    """Whether a person is there to be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()
