"""Erasing a customer by the command."""

import json

import pytest

from milepost.common.status import Status
from milepost.orders.order import OrderKey
from milepost.orders.search_terms import customer_id_of_email
from tests.builders import OFFERGRID, report
from tests.unit.cli.conftest import Deployed

pytestmark = pytest.mark.thorough

EMAIL = "charlotte.nguyen@example.com"


@pytest.mark.parametrize(
    "by",
    [
        EMAIL,
        *(
            pytest.param(other, marks=pytest.mark.thorough)
            for other in (EMAIL.upper(), "PP-1", customer_id_of_email(EMAIL))
        ),
    ],
)
def test_a_customer_is_erased_by_email_order_or_id(deployed: Deployed, by: str) -> None:
    key = OrderKey(OFFERGRID.id, "ord-1", "item-1")
    customer = {"email": EMAIL, "name": "Charlotte Nguyen"}
    deployed.keep(report(Status.ACCEPTED, 1, key=key, reference="PP-1", customer=customer))
    erased = deployed.tell("erase", by, "--yes")
    assert erased["orders"] == 1
    (order,) = deployed.tell("orders", "show", key.path_id)["items"]
    assert order["erased_at"]
    assert "Nguyen" not in json.dumps(order)


@pytest.mark.parametrize(
    ("stored", "spelled"),
    [
        ("+49 30 1234567", "+49301234567"),
        ("0491 570 156", "+61 491 570 156"),
    ],
)
def test_a_customer_without_an_address_is_erased_by_phone(
    deployed: Deployed, stored: str, spelled: str
) -> None:
    key = OrderKey(OFFERGRID.id, "ord-1", "item-1")
    customer = {"phone": stored, "name": "Charlotte Nguyen"}
    deployed.keep(report(Status.ACCEPTED, 1, key=key, customer=customer))
    assert deployed.tell("erase", spelled, "--yes")["order_ids"] == [key.path_id]
    (order,) = deployed.tell("orders", "show", key.path_id)["items"]
    assert order["erased_at"]
    assert "Nguyen" not in json.dumps(order)
    # Once more: it is known to have been done.
    assert deployed.tell("erase", spelled, "--yes")["order_ids"] == []


def test_of_two_people_with_one_phone_number_the_one_whose_order_is_given_is_erased(
    deployed: Deployed,
) -> None:
    keys = [OrderKey(OFFERGRID.id, f"ord-{number}", "item-1") for number in (1, 2)]
    for key, name in zip(keys, ("Charlotte Nguyen", "Paul Nguyen"), strict=True):
        customer = {"phone": "0491 570 156", "name": name}
        deployed.keep(report(Status.ACCEPTED, 1, key=key, customer=customer))
    asked = deployed.run("erase", "0491 570 156", "--yes")
    assert asked.exit_code == 2
    assert "Charlotte Nguyen" in asked.stderr
    assert "Paul Nguyen" in asked.stderr
    told = deployed.tell("erase", keys[0].order_id, "--dry-run")
    done = deployed.tell("erase", keys[0].order_id, "--yes")
    assert told["order_ids"] == done["order_ids"] == [keys[0].path_id]
    assert [one["where"] for one in done["left"]] == [keys[1].path_id]
    (order,) = deployed.tell("orders", "show", keys[1].path_id)["items"]
    assert order["details"]["customer"]["name"] == "Paul Nguyen"
    assert deployed.tell("erase", "0491 570 156", "--yes")["order_ids"] == [keys[1].path_id]


def test_who_has_an_address_is_erased_by_phone_and_a_shared_number_is_asked_about(
    deployed: Deployed,
) -> None:
    keys = [OrderKey(OFFERGRID.id, f"ord-{number}", "item-1") for number in (1, 2)]
    people = [{"name": name, "email": f"{name}@example.com"} for name in ("anna", "bert")]
    for key, person in zip(keys, people, strict=True):
        customer = {**person, "phone": "0491 570 156"}
        deployed.keep(report(Status.ACCEPTED, 1, key=key, customer=customer))
    several = deployed.run("erase", "+61491570156", "--yes")
    assert several.exit_code == 2
    for person in people:
        assert customer_id_of_email(person["email"]) in several.output
    deployed.tell("erase", "anna@example.com", "--yes")
    erased = deployed.tell("erase", "+61 491 570 156", "--yes")
    assert erased["order_ids"] == [keys[1].path_id]


NOBODY = ["nobody@example.com", "0123456789abcdef", "+49 30 7654321"]


@pytest.mark.parametrize("customer", NOBODY)
@pytest.mark.parametrize("option", ["--dry-run", "--yes"])
def test_who_is_not_found_is_an_error_and_no_row_of_zeros(
    deployed: Deployed, customer: str, option: str
) -> None:
    key = OrderKey(OFFERGRID.id, "ord-1", "item-1")
    deployed.keep(report(Status.ACCEPTED, 1, key=key, customer={"email": EMAIL}))
    result = deployed.run("erase", customer, option)
    assert result.exit_code == 1
    assert f"Nobody was found by {customer}" in " ".join(result.output.split())
    assert "tombstones" not in result.output
    result = deployed.run("erase", customer, option, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["found"] is False
    (order,) = deployed.tell("orders", "show", key.path_id)["items"]
    assert order["erased_at"] is None


def test_who_was_erased_before_was_somebody(deployed: Deployed) -> None:
    key = OrderKey(OFFERGRID.id, "ord-1", "item-1")
    deployed.keep(report(Status.ACCEPTED, 1, key=key, customer={"email": EMAIL}))
    first, second = (deployed.tell("erase", EMAIL, "--yes") for _ in range(2))
    assert (first["orders"], first["found"]) == (1, True)
    assert (second["orders"], second["found"]) == (0, True)


def test_nobody_is_erased_unasked(deployed: Deployed) -> None:
    result = deployed.run("erase", EMAIL)
    assert result.exit_code == 2
    assert "There is no terminal to confirm on; pass --yes." in " ".join(result.output.split())


def test_a_dry_run_shows_what_would_go_and_changes_nothing(deployed: Deployed) -> None:
    key = OrderKey(OFFERGRID.id, "ord-1", "item-1")
    deployed.keep(report(Status.ACCEPTED, 1, key=key, customer={"email": EMAIL}))
    said = deployed.say("erase", EMAIL, "--dry-run")
    assert "Orders that would become tombstones: 1." in said
    assert key.path_id in said
    (order,) = deployed.tell("orders", "show", key.path_id)["items"]
    assert order["erased_at"] is None
    assert deployed.tell("erase", EMAIL, "--dry-run")["order_ids"] == [key.path_id]


@pytest.mark.parametrize(("typed", "erased"), [(EMAIL, True), ("y", False), ("", False)])
def test_who_is_asked_sees_what_would_go_and_types_whom_it_is_about(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, typed: str, *, erased: bool
) -> None:
    for module in ("cli.operations.erase", "cli.confirmation"):
        monkeypatch.setattr(f"{module}.is_interactive", lambda: True)
    key = OrderKey(OFFERGRID.id, "ord-1", "item-1")
    deployed.keep(report(Status.ACCEPTED, 1, key=key, customer={"email": EMAIL}))
    monkeypatch.setattr("cli.confirmation.typer.prompt", lambda *_, **__: typed)
    result = deployed.run("erase", EMAIL)
    assert "would become tombstones: 1" in result.output
    assert result.exit_code == (0 if erased else 1)
    (order,) = deployed.tell("orders", "show", key.path_id)["items"]
    assert (order["erased_at"] is not None) is erased
