"""``milepost orders import``: imports existing orders of a team from a CSV file."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.api import OrdersApi
from cli.errors import WrongUse
from cli.output import is_interactive, tell, warn
from milepost.operations.order_import import FIELDS, REQUIRED

_AT_ONCE: Final = 50
"""Rows of one request."""
_SEPARATORS: Final = ",;\t|"
_SHOWN: Final = 50
_BAD: Final = ("refused", "failed")


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the file, and the line where it begins; without cells, the reason why it can't be
    parsed.
    """

    number: int
    cells: Mapping[str, str] | None
    why: str | None = None


def read_mapping(said: Sequence[str] | None) -> dict[str, str]:
    """The options ``--map FIELD=COLUMN``, as the file's columns by field.

    :raises WrongUse: for a field that there isn't
    """
    mapping: dict[str, str] = {}
    for one in said or ():
        field, sign, column = one.partition("=")
        if not sign or field.strip() not in FIELDS:
            raise WrongUse(f"--map {one}: write FIELD=COLUMN. Fields: {', '.join(FIELDS)}.")
        mapping[field.strip()] = column.strip()
    return mapping


def read_lines(path: Path, mapping: Mapping[str, str]) -> tuple[list[Line], list[str]]:
    """The rows of a file by field, and the columns that belong to no field.

    :raises WrongUse: when it can't be read, or a column lacks
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = _rows(file)
            _, header = next(rows, (0, None))
            if not header:
                raise WrongUse(
                    f"{path} is empty: its first line has to contain the names of the columns."
                )
            fields = _fields(header, mapping, path)
            lines = [_line(number, cells, header, fields) for number, cells in rows if any(cells)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise WrongUse(f"{path} can't be read as CSV in UTF-8: {error}.") from None
    if not lines:
        raise WrongUse(f"{path} has no rows.")
    return lines, [one for one in header if one not in fields]


def send_rows(
    api: OrdersApi, connection: str, lines: Sequence[Line], *, dry_run: bool, notify: bool
) -> list[dict[str, Any]]:
    """The outcome of each row, with a progress bar on a terminal until all are done."""
    found = [
        {"line": one.number, "outcome": "refused", "order": None, "why": one.why}
        for one in lines
        if one.cells is None
    ]
    good = [one for one in lines if one.cells is not None]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not is_interactive()) as progress:
        task = progress.add_task("Rows", total=len(lines), completed=len(found))
        for start in range(0, len(good), _AT_ONCE):
            some = good[start : start + _AT_ONCE]
            body = {"rows": [one.cells for one in some], "dry_run": dry_run, "notify": notify}
            answer = api.post(f"/connections/{connection}/orders", body)
            for line, row in zip(some, answer["rows"], strict=True):
                found.append({"line": line.number, **row})
            progress.advance(task, len(some))
    return sorted(found, key=lambda one: int(str(one["line"])))


def show_rows(found: Sequence[Mapping[str, Any]], *, dry_run: bool) -> None:
    """Print the number of rows for each outcome, then the rejected rows with line and reason."""
    counts = Counter(one["outcome"] for one in found)
    said = ", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items()))
    tell(f"{'Dry run: ' if dry_run else ''}{len(found)} rows: {said}.")
    bad = bad_rows(found)
    for one in bad[:_SHOWN]:
        warn(f"line {one['line']}: {one['outcome']}: {one['why']}")
    if len(bad) > _SHOWN:
        warn(f"and {len(bad) - _SHOWN} more: --json shows all")


def bad_rows(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rejected rows."""
    return [one for one in found if one["outcome"] in _BAD]


def _rows(file: Any) -> Iterator[tuple[int, list[str]]]:
    """Each row, with the line where it begins."""
    first = file.readline()
    file.seek(0)
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(file, delimiter=separator)
    begins = 1
    for cells in reader:
        yield begins, cells
        begins = reader.line_num + 1


def _fields(header: Sequence[str], mapping: Mapping[str, str], path: Path) -> dict[str, str]:
    """The fields by the names of the file's columns."""
    if twice := [one for one, number in Counter(header).items() if number > 1 and one.strip()]:
        raise WrongUse(f"{path} has two columns {twice[0]!r}: rename one.")
    missing = [column for column in mapping.values() if column not in header]
    if missing:
        raise WrongUse(f"{path} has no column {missing[0]!r}; there are: {', '.join(header)}.")
    fields = {column: name for name, column in mapping.items()}
    for column in header:
        name = column.strip().casefold().replace(" ", "_").replace("-", "_")
        if column not in fields and name in FIELDS and name not in fields.values():
            fields[column] = name
    if lacking := [name for name in REQUIRED if name not in fields.values()]:
        raise WrongUse(
            f"{path} has no column {lacking[0]}: name it with --map {lacking[0]}=COLUMN. "
            f"Its columns: {', '.join(header)}."
        )
    return fields


def _line(
    number: int, cells: Sequence[str], header: Sequence[str], fields: Mapping[str, str]
) -> Line:
    if len(cells) != len(header):
        why = f"{len(cells)} cells, but the first line has {len(header)} columns"
        return Line(number, None, why)
    named = zip(header, cells, strict=True)
    return Line(number, {fields[column]: cell for column, cell in named if column in fields})
