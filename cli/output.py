"""Output: lines, tables that fit the terminal, or JSON and CSV for scripts."""

import json
import os
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, Final

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from milepost.exports.column_reading import ListColumns, Row
from milepost.exports.files import Format, header_of, lines_of

_GAP: Final = "  "

_out = Console(highlight=False, markup=False)
_err = Console(highlight=False, markup=False, stderr=True)


def tell(text: str | Text = "", *, style: str | None = None) -> None:
    """Print one line on standard output; the terminal wraps long lines, so that they can be copied
    whole.
    """
    _out.print(Text(text) if isinstance(text, str) else text, style=style, soft_wrap=True)


def warn(text: str, *, style: str | None = None) -> None:
    """Print one line on standard error, separate from the output for scripts."""
    _err.print(Text(text), style=style, soft_wrap=True)


def tell_json(value: Any) -> None:
    """Print the value as JSON on standard output, and nothing else."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def tell_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, drop: Sequence[str] = ()
) -> None:
    """Print a table with one line for each row. Cells are never wrapped, so that ids can be copied
    and searched.

    On a terminal that is too narrow, columns are left out. Elsewhere, as in a pipe, every column
    is printed.

    :param drop: the columns that may be left out, the least important one first
    """
    table = [list(columns), *([one_line(cell) for cell in row] for row in rows)]
    shown = _columns_that_fit(table, drop) if _is_screen() else range(len(columns))
    widths = {place: max(cell_len(row[place]) for row in table) for place in shown}
    for number, row in enumerate(table):
        line = _GAP.join(set_cell_size(row[place], widths[place]) for place in shown).rstrip()
        tell(line, style="bold" if number == 0 else None)


def _columns_that_fit(table: Sequence[Sequence[str]], drop: Sequence[str]) -> Sequence[int]:
    shown = list(range(len(table[0])))
    widths = [max(cell_len(row[place]) for row in table) for place in shown]
    for name in drop:
        if sum(widths[place] + len(_GAP) for place in shown) - len(_GAP) <= terminal_width():
            break
        shown = [place for place in shown if table[0][place] != name]
    return shown


def one_line(text: str) -> str:
    """The text without line breaks and other control characters."""
    return "".join(character if character.isprintable() else " " for character in text)


def tell_csv(columns: ListColumns, rows: Iterable[Row]) -> None:
    """Print the rows as CSV (RFC 4180) on standard output, like the API.

    A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    sys.stdout.write(header_of(columns, file_format=Format.CSV))
    for row in rows:
        sys.stdout.write(lines_of([row], columns, file_format=Format.CSV))


def _is_screen() -> bool:
    """Whether lines have to fit a screen. ``FORCE_COLOR`` only requests colors in a pipe."""
    if os.environ.get("FORCE_COLOR") or os.environ.get("TTY_COMPATIBLE"):
        return sys.stdout.isatty()
    return _out.is_terminal


def terminal_width() -> int:
    """The width of the terminal in characters; 80 without a terminal."""
    return _out.width


def tell_row(cells: Sequence[str], widths: Sequence[int], *, style: str | None = None) -> None:
    """One line of columns with these widths, for entries that need a second line below."""
    pairs = zip(cells, widths, strict=True)
    tell("  ".join(f"{cell:<{width}}" for cell, width in pairs).rstrip(), style=style)


def tell_folded(text: str, *, indent: int) -> None:
    """A text wrapped at words to the width of the terminal; a long word stays whole.

    Where nobody looks, as in a pipe, it stays on one line.
    """
    margin = " " * indent
    if not _is_screen():
        tell(margin + one_line(text))
        return
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
    """An address in the form in which it may be shown: a URL without its query, which may be
    secret.
    """
    return recipient.partition("?")[0] if recipient.startswith("http") else recipient


def is_interactive() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()
