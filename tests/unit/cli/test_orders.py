"""``milepost orders``: lists, one order whole, and changes as they come."""

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

import pytest

from cli.local_times import read_zone
from cli.orders.watch import compare, in_a_line
from milepost.common.status import Status
from milepost.orders.order import OrderKey
from tests.builders import OFFERGRID, RABOT, report
from tests.unit.cli.conftest import Deployed

ITEMS = [OrderKey(OFFERGRID.id, "ord-1", f"item-{number}") for number in (1, 2)]
OTHER = OrderKey(RABOT.id, "V-1", "V-1")
EMAIL = "charlotte.nguyen@example.com"
CUSTOMER = {"customer": {"email": EMAIL}}


@pytest.fixture(autouse=True)
def _orders(deployed: Deployed) -> None:
    deployed.keep(
        report(Status.SUBMITTED, 0, key=ITEMS[0], reference="PP-1", **CUSTOMER),
        report(
            Status.SCHEDULED, 1, key=ITEMS[0], reference="PP-1", appointment="2026-03-05T01:30:00Z"
        ),
        report(Status.REJECTED, 1, key=ITEMS[1], reference="PP-2", reason="no line"),
    )
    deployed.keep(report(Status.ACCEPTED, 1, key=OTHER, reference="EN-7"), connection=RABOT)


def test_open_orders_are_listed_by_their_next_date_and_counted(deployed: Deployed) -> None:
    lines = deployed.say("orders", "list").splitlines()
    assert lines[0].split()[:4] == ["next", "(UTC)", "status", "order"]
    rows = [line for line in lines if "PP-" in line or "EN-" in line]
    assert ["rabot-energy:V-1" in row for row in rows].count(True) == 1
    assert any("2026-03-05 01:30" in row and "offergrid-home:ord-1:item-1" in row for row in rows)
    assert "2 orders." in lines
    assert "All orders at these connections: 1 accepted, 1 scheduled, 1 rejected." in lines


@pytest.mark.thorough
def test_times_are_shown_in_the_zone_that_is_asked_for(deployed: Deployed) -> None:
    said = deployed.say("orders", "list", "--zone", "Australia/Melbourne")
    assert "next (Australia/Melbourne)" in " ".join(said.split())
    assert "2026-03-05 12:30" in said


LONG = OrderKey(OFFERGRID.id, "ord-with-a-long-id-0123456789", "item-with-a-long-id-0123456789")


@pytest.mark.parametrize(
    ("width", "missing"),
    [(300, []), (175, ["since"]), (120, ["since", "place", "reference"])],
)
def test_a_narrow_terminal_loses_columns_and_no_part_of_an_id(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, width: int, missing: list[str]
) -> None:
    deployed.keep(report(Status.ACCEPTED, 2, key=LONG, reference="A-reference-of-some-length-9"))
    monkeypatch.setattr("cli.output._out._width", width)
    monkeypatch.setattr("cli.output._out._force_terminal", True)
    monkeypatch.setenv("NO_COLOR", "1")
    lines = [line for line in deployed.say("orders", "list").splitlines() if "  " in line]
    assert any(LONG.path_id in line for line in lines)
    shown = lines[0].split()
    assert [name for name in ("since", "place", "reference") if name not in shown] == missing
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("asked", ["NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"])
def test_piped_output_has_every_column_and_never_wraps(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.setenv(asked, "1")
    deployed.keep(report(Status.ACCEPTED, 2, key=LONG, reference="A-reference-of-some-length-9"))
    monkeypatch.setenv("COLUMNS", "40")
    lines = deployed.say("orders", "list").splitlines()
    assert lines[0].split()[-4:] == ["reference", "since", "forecast", "attention"]
    (row,) = [line for line in lines if LONG.path_id in line]
    assert "A-reference-of-some-length-9" in row


def test_columns_can_be_chosen_and_filters_combined(deployed: Deployed) -> None:
    deployed.keep(
        report(
            Status.ACCEPTED,
            2,
            key=LONG,
            customer={"name": "Jörg Weiß", "email": "jw@example.org"},
            address={"street": "Am Wall 3", "postcode": "10115", "city": "Berlin"},
            offer={"name": "Fiber 250", "supplier": "Netz AG"},
        )
    )
    filters = ["--customer", "weiss", "--place", "10115", "--product", "fib 250", "--sort", "since"]
    columns = ["--columns", "id,customer,place,product,supplier,provider_name"]
    said = deployed.say("orders", "list", *filters, *columns, "--csv")
    assert next(csv.DictReader(io.StringIO(said))) == {
        "id": LONG.path_id,
        "customer": "Jörg Weiß",
        "place": "10115 Berlin",
        "product": "Fiber 250",
        "supplier": "Netz AG",
        "provider_name": "Offergrid",
    }
    found = json.loads(deployed.say("orders", "list", *filters, "--columns", "id", "--json"))
    assert (found["orders"], found["matching"]) == (
        [{"id": LONG.path_id}],
        {"number": 1, "more": False},
    )
    lines = deployed.say("orders", "list", *filters, "--columns", "place,since").splitlines()
    assert [line.split() for line in lines[:2]] == [
        ["place", "since"],
        ["10115", "Berlin", "2026-03-02", "12:02"],
    ]


def test_a_list_is_printed_as_csv_without_formulas(deployed: Deployed) -> None:
    deployed.keep(report(Status.ACCEPTED, 2, key=LONG, reference='=HYPERLINK("x","y")'))
    rows = list(csv.DictReader(io.StringIO(deployed.say("orders", "list", "--csv"))))
    assert {row["id"] for row in rows} == {LONG.path_id, ITEMS[0].path_id, OTHER.path_id}
    (hostile,) = [row for row in rows if row["id"] == LONG.path_id]
    assert hostile["reference"] == '\'=HYPERLINK("x","y")'


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--provider", "nope"], "There is no provider nope; there are: offergrid, rabot."),
        (["--connection", "nope"], "There is no connection nope; there are: offergrid-business, "),
        (["--attention", "nope"], "There is no attention nope; there are: correction, "),
        (["--service-type", "nope"], "There is no service type nope; there are: business, "),
        (["--waiting", "nope"], "There is no waiting nope; there are: any, contact, payment, "),
        (["--due", "someday"], "someday"),
        (["--status", "nope"], "nope"),
    ],
)
def test_an_unknown_filter_is_wrong_use_and_no_empty_list(
    deployed: Deployed, asked: list[str], said: str
) -> None:
    result = deployed.run("orders", "list", *asked)
    assert result.exit_code == 2
    assert said in result.output


def test_only_a_whole_reference_names_an_order(deployed: Deployed) -> None:
    assert deployed.tell("orders", "show", "pp-1")["order_id"] == ITEMS[0].order_id
    result = deployed.run("orders", "show", "PP-")
    assert result.exit_code == 1
    assert "There is no order PP-" in result.output


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["--status", "rejected"], ["ord-1:item-2"]),
        (["--status", "rejected", "--status", "accepted"], ["ord-1:item-2", "V-1:V-1"]),
        (["--provider", "rabot"], ["V-1:V-1"]),
        (["--connection", OFFERGRID.id], ["ord-1:item-1"]),
        (
            ["--from", "2026-03-05", "--to", "2026-03-05", "--provider", "offergrid"],
            ["ord-1:item-1"],
        ),
        (["--search", "pp-2"], ["ord-1:item-2"]),
        (["--search", EMAIL], ["ord-1:item-1"]),
        (["--attention", "unknown_status"], []),
    ],
)
def test_a_list_is_of_what_was_asked_for(
    deployed: Deployed, asked: list[str], found: list[str]
) -> None:
    listed = deployed.tell("orders", "list", *asked)
    assert sorted(one["id"].partition(":")[2] for one in listed["orders"]) == sorted(found)
    assert listed["next"] is None


@pytest.mark.thorough
def test_a_list_says_that_there_is_more(deployed: Deployed) -> None:
    assert "there are more: --limit or --all." in deployed.say("orders", "list", "--limit", "1")
    assert len(deployed.tell("orders", "list", "--all")["orders"]) == 2


def test_filters_that_exclude_each_other_are_wrong_use(deployed: Deployed) -> None:
    result = deployed.run("orders", "list", "--due", "overdue", "--from", "2026-03-05")
    assert result.exit_code == 2
    assert "either `due`, or `from` and `to`" in result.output


def test_the_items_of_an_order_come_with_what_they_are_together(deployed: Deployed) -> None:
    group = deployed.tell("orders", "show", "ord-1", "--connection", OFFERGRID.id)
    assert group["group"]["code"] == "partly_rejected"
    assert [item["status"] for item in group["items"]] == ["scheduled", "rejected"]
    assert group["items"][0]["timeline"][0]["effect"] == "moved"
    assert group["items"][0]["details"]["customer"] == {"email": EMAIL}


def test_people_read_the_summary_first(deployed: Deployed) -> None:
    said = deployed.say("orders", "show", "ord-1", "--connection", OFFERGRID.id)
    assert said.startswith("2 items: ")
    assert "2026-03-02 12:01  scheduled  (moved, by webhook)" in said
    assert "next, by 2026-03-05 01:30: The appointment takes place." in said
    assert "can be done: cancel, note, refresh" in said


@pytest.mark.thorough
@pytest.mark.parametrize(
    "name",
    ["rabot-energy:V-1:V-1", "rabot-energy:V-1", "rabot-energy/V-1", "V-1", "EN-7", "en-7"],
)
def test_an_order_is_found_by_whatever_people_call_it(deployed: Deployed, name: str) -> None:
    shown = deployed.tell("orders", "show", name)
    assert [one["id"] for one in shown["items"]] == ["rabot-energy:V-1:V-1"]


def test_an_order_that_is_not_there_is_said_and_is_no_success(deployed: Deployed) -> None:
    for asked in (["ord-9", "--connection", OFFERGRID.id], ["ord-9"], ["a:b:c"]):
        shown = deployed.run("orders", "show", *asked)
        assert shown.exit_code == 1
        assert "There is no order" in shown.output


# ---- watching


class Elsewhere:
    """The API for orders that have left the list."""

    def __init__(self, **orders: Mapping[str, Any]) -> None:
        self.orders = orders

    def get(self, path: str) -> Any:
        return self.orders[path.removeprefix("/orders/")]


def listed(status: str, **changes: Any) -> dict[str, Any]:
    fields = {
        "id": "home:ord-1:item-1",
        "status": status,
        "raw_status": status,
        "appointment": None,
        "next_date": "2026-03-05T00:00:00.000Z",
        "attention": [],
        "reference": "PP-1",
    }
    return fields | changes


def changes(before: dict[str, Any], now: dict[str, Any], **elsewhere: Any) -> list[str]:
    api: Any = Elsewhere(**elsewhere)
    return [in_a_line(one, read_zone("UTC")) for one in compare(before, now, api=api)]


def test_a_change_says_from_what_to_what_and_when_it_goes_on() -> None:
    now = listed("scheduled", appointment="2026-03-05T09:00:00Z")
    told = changes({"a": listed("accepted")}, {"a": now})
    assert told == ["home:ord-1:item-1  accepted > scheduled  on 2026-03-05 09:00  PP-1"]


def test_what_is_the_same_is_no_change() -> None:
    assert changes({"a": listed("accepted")}, {"a": listed("accepted")}) == []


def test_a_new_order_and_a_new_reason_to_look_are_changes() -> None:
    assert changes({}, {"a": listed("accepted")}) == ["home:ord-1:item-1  new > accepted  PP-1"]
    odd = listed("accepted", attention=[{"code": "missing_data", "text": "..."}])
    told = changes({"a": listed("accepted")}, {"a": odd})
    assert told == ["home:ord-1:item-1  accepted  ! missing_data  PP-1"]


def test_an_order_that_left_the_list_because_it_was_closed_is_told() -> None:
    told = changes({"a": listed("scheduled")}, {}, a=listed("completed"))
    assert told == ["home:ord-1:item-1  scheduled > completed  PP-1"]


def test_an_order_that_left_the_list_for_a_later_page_is_no_change() -> None:
    assert changes({"a": listed("scheduled")}, {}, a=listed("scheduled")) == []


def test_watching_ends_after_the_first_change(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(_seconds: float) -> None:
        deployed.keep(report(Status.COMPLETED, 5, key=ITEMS[0], reference="PP-1"))

    monkeypatch.setattr("cli.orders.watch.time.sleep", meanwhile)
    seen = json.loads(deployed.say("orders", "watch", "--once", "--json"))
    assert (seen["before"]["status"], seen["now"]["status"]) == ("scheduled", "completed")


def test_watching_in_vain_is_no_success(deployed: Deployed) -> None:
    asked = ["orders", "watch", "--every", "0.2", "--within", "0.1"]
    assert deployed.run(*asked).exit_code == 1


def test_a_list_of_any_length_is_written_as_it_is_read(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.api.LARGEST_PAGE_OF_A_FILE", 2)
    for number in range(5):
        key = OrderKey(OFFERGRID.id, f"long-{number}", "1")
        deployed.keep(report(Status.ACCEPTED, number, key=key))
    said = deployed.say("orders", "list", "--all", "--csv", "--columns", "order_id,status")
    rows = list(csv.DictReader(io.StringIO(said)))
    named = [one["order_id"] for one in rows if one["order_id"].startswith("long-")]
    assert sorted(named) == [f"long-{number}" for number in range(5)]
