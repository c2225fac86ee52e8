"""``milepost orders import``: a CSV file, its columns, its bad rows."""

from pathlib import Path

import pytest

from cli.errors import WrongUse
from cli.orders.import_file import read_lines, read_mapping
from tests.builders import OFFERGRID
from tests.unit.cli.conftest import Deployed


def written(path: Path, text: str, encoding: str = "utf-8-sig") -> Path:
    file = path / "orders.csv"
    file.write_text(text, encoding=encoding, newline="")
    return file


def test_columns_are_found_by_name_or_as_they_are_mapped(tmp_path: Path) -> None:
    file = written(tmp_path, 'Nr.;Status;Since;Town\r\n"a;\n1";accepted;2026-03-01;Köln\r\nb;;\r\n')
    lines, ignored = read_lines(file, read_mapping(["order_id=Nr."]))
    assert ignored == ["Town"]
    assert [one.number for one in lines] == [2, 4]
    assert lines[0].cells == {"order_id": "a;\n1", "status": "accepted", "since": "2026-03-01"}
    assert lines[1].cells is None
    assert lines[1].why == "3 cells, but the first line has 4 columns"


@pytest.mark.parametrize(
    ("text", "mapping", "said"),
    [
        ("", [], "is empty"),
        ("order_id,status,since\n", [], "has no rows"),
        ("order_id,status\na,b\n", [], "no column since: name it with --map since=COLUMN"),
        ("order_id,status,since\na,b,c\n", ["city=Town"], "has no column 'Town'"),
        ("order_id,order_id,status,since\na,b,c,d\n", [], "two columns 'order_id'"),
        ("order_id,status,since\na,b,c\n", ["town=Town"], "write FIELD=COLUMN"),
    ],
)
def test_a_file_that_cannot_be_imported_says_why(
    tmp_path: Path, text: str, mapping: list[str], said: str
) -> None:
    with pytest.raises(WrongUse) as refused:
        read_lines(written(tmp_path, text), read_mapping(mapping))
    assert said in str(refused.value)


def test_a_file_of_another_encoding_says_so(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="UTF-8"):
        read_lines(written(tmp_path, "order_id,status,since\nä,b,c\n", "cp1252"), {})


@pytest.mark.thorough
def test_a_file_is_imported_once_and_its_bad_rows_are_listed(
    deployed: Deployed, tmp_path: Path
) -> None:
    rows = "o-1,1,accepted,2026-03-01,Nguyen\no-2,1,sold,2026-03-01,Li\no-3,1,accepted\n"
    file = written(tmp_path, "order_id,item_id,status,since,customer_name\n" + rows)
    asked = ("orders", "import", str(file), "--connection", OFFERGRID.id)

    tried = deployed.run(*asked, "--dry-run")
    assert tried.exit_code == 1
    assert "Dry run: 3 rows: 1 new, 2 refused." in tried.output
    assert deployed.tell("orders", "list")["orders"] == []
    done = deployed.run(*asked, "--yes")
    assert done.exit_code == 1
    assert "line 3: refused: status: neither" in done.output
    assert "line 4: refused: 3 cells" in done.output
    [order] = deployed.tell("orders", "list")["orders"]
    assert order["customer"]["name"] == "Nguyen"
    assert "2 refused, 1 unchanged" in deployed.run(*asked, "--yes").output
    assert deployed.run(*asked).exit_code == 2
    entries = deployed.tell("activity", "--kind", "import_orders")["entries"]
    # The first was a dry run, which changed nothing.
    assert [one["after"] for one in entries][-2:] == [{"new": "1", "refused": "1"}, None]
