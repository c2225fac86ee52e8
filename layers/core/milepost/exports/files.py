"""Rows as CSV (RFC 4180) and as JSON Lines."""

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

from milepost.exports.column_reading import ListColumns, Row

BYTE_ORDER_MARK: Final = "\ufeff"
"""The byte order mark at the beginning of a file, by which spreadsheets recognize UTF-8."""
_NUMBER: Final = re.compile(r"[+-]?\d+([.,]\d+)?")
_SIGNS: Final = "=+\\-@\uff1d\uff0b\uff0d\uff20"
"""Characters that begin a formula, also in full width. Source: OWASP, "CSV Injection"."""
_FORMULA: Final = re.compile(rf"[\t\r\n]|[\s\"']*[{_SIGNS}]")
_AFTER_SEPARATOR: Final = re.compile(rf"(?<=[;\t\r\n])(?=[ \"']*[{_SIGNS}])")
"""Where a spreadsheet that splits cells at semicolons or tabs would begin one with a formula."""


class Format(StrEnum):
    """A format of files, by its media type."""

    CSV = "text/csv"
    JSON_LINES = "application/jsonl"

    @property
    def suffix(self) -> str:
        """The extension of the file's name."""
        return ".csv" if self is Format.CSV else ".jsonl"


def header_of(columns: ListColumns, *, file_format: Format, bom: bool = False) -> str:
    """The beginning of a file: the names of the columns in CSV, nothing in JSON Lines."""
    if file_format is Format.JSON_LINES:
        return ""
    return (BYTE_ORDER_MARK if bom else "") + csv_text([columns.names])


def lines_of(
    rows: Iterable[Row], columns: ListColumns, *, file_format: Format, is_chosen: bool = False
) -> str:
    """The rows as lines of such a file.

    :param is_chosen: whether the columns were named. Without, a line of JSON is the whole row, as
        the list has it; with, it has the columns alone. A line of CSV always has the columns.
    """
    if file_format is Format.CSV:
        return csv_text(columns.cells(row) for row in rows)
    return "".join(_json_line(columns.flat(row) if is_chosen else row) for row in rows)


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """The rows as CSV. A cell that a spreadsheet would interpret as a formula begins with an
    apostrophe."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for row in rows:
        cells = [not_a_formula(cell) for cell in row]
        # An empty line would not be a row.
        writer.writerow(cells) if cells != [""] else text.write('""\r\n')
    return text.getvalue()


def not_a_formula(cell: str) -> str:
    """The cell in a form that a spreadsheet reads as text: unchanged, or with an apostrophe before
    a formula. Numbers stay numbers."""
    if _NUMBER.fullmatch(cell):
        return cell
    begun = f"'{cell}" if _FORMULA.match(cell) else cell
    return _AFTER_SEPARATOR.sub("'", begun)


def _json_line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"
