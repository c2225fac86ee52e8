"""``milepost actions``: what can be done with an order, and doing it."""

from dataclasses import replace

import pytest

from cli.actions.commands import done_in_words
from cli.local_times import read_zone
from milepost.common.status import Status
from milepost.connections.connection import CommissionTerms, Connection
from milepost.orders.order import OrderKey
from tests.builders import OFFERGRID, report
from tests.unit.cli.conftest import Deployed

pytestmark = pytest.mark.thorough

KEY = OrderKey(OFFERGRID.id, "ord-1", "item-1")
ORDER = KEY.path_id


@pytest.fixture(autouse=True)
def _order(deployed: Deployed) -> None:
    deployed.keep(report(Status.ACCEPTED, 1, key=KEY, reference="PP-1"))


def test_the_list_says_what_can_be_done_and_by_which_options(deployed: Deployed) -> None:
    rows = [line.split() for line in deployed.say("actions", "list", "PP-1").splitlines()]
    assert ["cancel", "--reason", "TEXT"] in rows
    assert ["note", "--note", "TEXT"] in rows
    assert deployed.tell("actions", "list", ORDER)["actions"] == ["cancel", "note", "refresh"]


def test_a_note_stands_on_the_timeline_with_who_wrote_it(deployed: Deployed) -> None:
    done = deployed.tell("actions", "do", ORDER, "note", "--note", "Called, nobody there.")
    assert done["result"] == "done"
    (order,) = deployed.tell("orders", "show", ORDER)["items"]
    entry = order["timeline"][-1]
    assert (entry["note"], entry["person"]) == ("Called, nobody there.", done["person"])
    assert done["person"] not in ("", None)
    assert "note: done, Called, nobody there." in deployed.say("orders", "show", ORDER)


def test_the_same_key_does_it_once(deployed: Deployed) -> None:
    asked = ("actions", "do", ORDER, "note", "--note", "Once.", "--key", "k-1")
    assert not deployed.tell(*asked)["repeated"]
    assert "It was already done with this key." in " ".join(deployed.say(*asked).split())


def test_what_the_order_does_not_allow_is_refused_and_says_what_it_would(
    deployed: Deployed,
) -> None:
    deployed.keep(report(Status.COMPLETED, 2, key=KEY))
    result = deployed.run("actions", "do", ORDER, "cancel")
    assert result.exit_code == 1
    assert "not possible for an order that is completed. Possible now: " in result.output


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        (["note"], 2, "needs a text"),
        (["cancel", "--note", "x", "--yes"], 2, "has no argument"),
        (["cancel", "--at", "2030-03-20T09:00:00Z"], 2, "can't be planned"),
        (["fly"], 1, "has no action 'fly'"),
    ],
)
def test_what_is_asked_wrongly_is_told_in_the_apis_words(
    deployed: Deployed, asked: list[str], code: int, said: str
) -> None:
    result = deployed.run("actions", "do", ORDER, *asked)
    assert result.exit_code == code
    assert said in result.output


@pytest.mark.parametrize("action", ["cancel", "commission_paid"])
def test_what_cannot_be_undone_is_asked_about(deployed: Deployed, action: str) -> None:
    if action == "commission_paid":
        terms = CommissionTerms(amount="75.50", currency="AUD", due_day=15)
        deployed.stack.apply(replace(OFFERGRID, commission=(terms,)))
        deployed.keep(report(Status.COMPLETED, 2, key=KEY))
    result = deployed.run("actions", "do", ORDER, action, "--note", "2026-03")
    assert result.exit_code == 2
    assert "There is no terminal to confirm on; pass --yes." in result.output
    (order,) = deployed.tell("orders", "show", ORDER)["items"]
    assert [entry["source"] for entry in order["timeline"] if entry["source"] == "person"] == []


def test_what_was_not_planned_can_not_be_called_off(deployed: Deployed) -> None:
    assert deployed.run("actions", "call-off", ORDER, "cancel").exit_code == 1


def test_an_action_needs_one_order_and_lists_those_it_could_be(deployed: Deployed) -> None:
    other = OrderKey(OFFERGRID.id, "ord-1", "item-2")
    deployed.keep(report(Status.ACCEPTED, 1, key=other))
    result = deployed.run("actions", "do", "ord-1", "note", "--note", "x")
    assert result.exit_code == 2
    assert other.path_id in result.output


def test_a_plan_is_told_with_its_time_and_zone() -> None:
    done = {
        "action": "fulfill",
        "result": "planned",
        "planned_for": "2030-03-20T09:00:00Z",
        "outcome": None,
        "repeated": False,
    }
    said = done_in_words(done, "spirii-main:so-1:so-1", read_zone("Europe/Copenhagen"))
    assert said == (
        "fulfill of spirii-main:so-1:so-1: planned for 2030-03-20 10:00 (Europe/Copenhagen)."
    )


CHARGE = Connection(id="charge", provider="spirii", base_url="https://spirii.example")
BY_CARD = {"kind": "credit_card", "status": "authorized", "amount": "899.00", "currency": "DKK"}


def keep_charge_order(deployed: Deployed, **details: object) -> str:
    key = OrderKey(CHARGE.id, "so-1", "so-1")
    deployed.stack.apply(OFFERGRID, CHARGE)
    one = report(
        Status.SCHEDULED,
        1,
        key=key,
        appointment="2026-03-03T08:00:00Z",
        completed_by="fulfill",
        payment=BY_CARD,
        **details,
    )
    deployed.keep(one, connection=CHARGE)
    return key.path_id


@pytest.mark.parametrize("planned", [(), ("--at", "2030-03-20T09:00:00Z")])
def test_charging_a_card_asks_first_also_when_it_is_planned(
    deployed: Deployed, planned: tuple[str, ...]
) -> None:
    order = keep_charge_order(deployed)
    result = deployed.run("actions", "do", order, "fulfill", *planned)
    said = " ".join(result.output.split())
    assert "This charges the customer's card: 899.00 DKK." in said
    assert "no terminal to confirm on" in said


def test_after_the_appointment_the_next_step_is_the_teams_with_its_action(
    deployed: Deployed,
) -> None:
    order = keep_charge_order(deployed)
    (shown,) = deployed.tell("orders", "show", order)["items"]
    assert shown["next"]["action"] == "fulfill"
    assert shown["next"]["step"] == "The team completes the order by the action fulfill."


def test_after_the_appointment_the_next_step_is_what_is_planned_and_when(
    deployed: Deployed,
) -> None:
    order = keep_charge_order(deployed, fulfilment_at="2026-03-20T09:00:00Z")
    (shown,) = deployed.tell("orders", "show", order)["items"]
    assert (shown["next"]["step"], shown["next"]["action"], shown["next"]["by"]) == (
        "The order is completed as planned.",
        None,
        "2026-03-20T09:00:00Z",
    )


def test_what_is_planned_at_the_provider_shows_beside_what_is_planned_here(
    deployed: Deployed,
) -> None:
    order = keep_charge_order(deployed, fulfilment_at="2026-03-20T09:00:00Z")
    (plan,) = deployed.tell("actions", "list", order)["planned"]
    assert (plan["planned_for"], plan["planned_in"]) == ("2026-03-20T09:00:00Z", "provider")
    assert "fulfill is planned for 2026-03-20 09:00 (UTC), at spirii." in deployed.say(
        "actions", "list", order
    )
