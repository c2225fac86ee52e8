"""Rows as CSV and JSON Lines: what a spreadsheet and a script read is what the list has."""

import csv
import io
import json

import pytest

from milepost.exports.column_reading import ListColumns, UnknownColumn, inner, plain
from milepost.exports.files import Format, csv_text, header_of, lines_of, not_a_formula
from milepost.exports.list_columns import ACTIVITY, ORDERS

COLUMNS = ListColumns(columns=[*plain("id", "name", "open", "kinds"), inner("to", "who", "mail")])
ROW = {
    "id": "a:1",
    "name": 'Müller, "Anna"\nc/o Źródło',
    "open": False,
    "kinds": ["x", "y"],
    "who": {"mail": None, "phone": "1"},
    "hidden": 7,
}


def test_csv_is_read_back_as_it_was() -> None:
    header = header_of(COLUMNS, file_format=Format.CSV)
    text = header + lines_of([ROW, {**ROW, "who": None}], COLUMNS, file_format=Format.CSV)
    assert text.startswith("id,name,open,kinds,to\r\n")
    first, second = csv.DictReader(io.StringIO(text, newline=""))
    assert first == second
    assert first == {"id": "a:1", "name": ROW["name"], "open": "false", "kinds": "x y", "to": ""}


def test_a_byte_order_mark_begins_csv_if_it_is_asked_for() -> None:
    said = header_of(COLUMNS, file_format=Format.CSV, bom=True)
    assert said.encode().startswith(b"\xef\xbb\xbfid,")
    assert header_of(COLUMNS, file_format=Format.JSON_LINES, bom=True) == ""


def test_a_line_of_json_is_the_row_and_with_columns_these_alone() -> None:
    whole = lines_of([ROW, ROW], COLUMNS, file_format=Format.JSON_LINES)
    assert [json.loads(line) for line in whole.splitlines()] == [ROW, ROW]
    chosen = COLUMNS.choose(["to", "id", "to"])
    line = lines_of([ROW], chosen, file_format=Format.JSON_LINES, is_chosen=True)
    assert line == '{"to":null,"id":"a:1"}\n'


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("\t=1", "'\t'=1"),
        ("\rx", "'\rx"),
        ("\nx", "'\nx"),
        ("  =1", "'  =1"),
        ('"=1"', '\'"=1"'),
        ("'=1", "''=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("a;=1+1", "a;'=1+1"),
        ('a;"@x"', 'a;\'"@x"'),
        ("-75.50", "-75.50"),
        ("-75,50", "-75,50"),
        ("+4930123456", "+4930123456"),
        ("a=b", "a=b"),
        ("info@example.org", "info@example.org"),
        ("2026-03-01", "2026-03-01"),
        ("", ""),
    ],
)
def test_what_a_spreadsheet_would_calculate_is_text(cell: str, written: str) -> None:
    assert not_a_formula(cell) == written


def test_a_row_of_one_empty_cell_is_a_row() -> None:
    assert csv_text([["a"], [""], ["b"]]) == 'a\r\n""\r\nb\r\n'


def test_a_column_that_there_is_not_is_named_with_those_that_there_are() -> None:
    with pytest.raises(UnknownColumn, match="no column 'phone'; there are: id, status, "):
        ORDERS.choose(["id", "phone"])


def test_an_order_has_its_customer_and_its_reasons_in_cells() -> None:
    row = {
        "id": "a:1:1",
        "customer": {"id": "0a1b", "name": "=cmd"},
        "attention": [{"code": "late"}, {"code": "late"}, {"code": "no_contact"}],
        "waiting": None,
    }
    assert ORDERS.choose(["customer", "customer_id", "attention", "waiting_for"]).cells(row) == [
        "=cmd",
        "0a1b",
        "late, no_contact",
        "",
    ]


def test_a_change_has_what_it_is_about_and_what_it_changed_as_json() -> None:
    row = {"targets": {"connection": "c", "order": "c:1:1"}, "before": {"a": 1}, "arguments": {}}
    said = ACTIVITY.choose(["about", "connection", "before", "arguments"])
    assert said.cells(row) == ["order c:1:1", "c", '{"a":1}', ""]
