"""What the operator sees: plain lines, tables that fit the terminal, or JSON for scripts."""

import json
import sys
import textwrap
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


def terminal_width() -> int:
    """How many columns there are to fill; 80 where nobody looks."""
    return _out.width


def tell_row(cells: Sequence[str], widths: Sequence[int], *, style: str | None = None) -> None:
    """One line of columns this wide, for entries that need a second line beneath."""
    pairs = zip(cells, widths, strict=True)
    tell("  ".join(f"{cell:<{width}}" for cell, width in pairs).rstrip(), style=style)


def tell_folded(text: str, *, indent: int) -> None:
    """A text between words onto lines as wide as the terminal; a long word stays whole."""
    margin = " " * indent
    lines = textwrap.wrap(
        text,
        width=_out.width,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in lines:
        tell(line)


def without_query(recipient: str) -> str:
    """An address as it may be shown: a URL without its query, which may be secret."""
    return recipient.partition("?")[0] if recipient.startswith("http") else recipient


def is_interactive() -> bool:
    """Whether a person is there to be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()
