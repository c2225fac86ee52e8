"""Every word by which a customer's orders are found goes with an erasure, and no look-alike's."""

import json
from dataclasses import replace
from typing import Any

import pytest

from milepost.common.status import Status
from milepost.orders.aws.table import OrdersTable
from milepost.orders.recording import record
from tests.builders import KEY, OFFERGRID, RULES, report
from tests.integration.erasure_data import BEFORE, EMAIL, erase, index, run
from tests.stack import Stack, aws


@pytest.fixture
def applied(stack: Stack) -> Stack:
    stack.apply(OFFERGRID)
    return stack


def details_of(number: str, email: str) -> dict[str, Any]:
    """Something in every field that orders are found by."""
    return {
        "customer": {
            "name": f"Ottilie Erlenkamp{number}",
            "business": f"Kiosk{number} Erlenkamp GmbH",
            "email": email,
            "phone": f"+49 30 55570{number}",
            "number": f"KN-{number}",
        },
        "address": {"street": f"Quellweg{number} 3", "postcode": "10115", "city": f"Ort{number}"},
        "reference": f"REF-{number}",
        "account_number": f"ACC-{number}",
        "meter_number": f"1EMH{number}",
        "malo": f"512386{number}",
        "melo": f"DE000562{number}",
        "spn": f"SPN-{number}",
        "charge_box": {"serial_number": f"ZAP-{number}"},
        "invoices": [{"number": f"RE-{number}"}],
    }


def test_no_word_of_the_customer_finds_anything_afterwards_and_look_alikes_are_found_as_before(
    applied: Stack,
) -> None:
    for number, email in (("71", EMAIL), ("72", "x" + EMAIL)):
        key = replace(KEY, order_id=f"order-{number}", item_id=f"item-{number}")
        orders = OrdersTable(
            aws("dynamodb"), table_name=applied.resources["OrdersTable"], connection=OFFERGRID
        )
        said = report(Status.ACCEPTED, key=key, **details_of(number, email))
        record(said, orders=orders, rules=RULES, now=BEFORE)
    index(applied)
    before = applied.items("SearchTable")
    theirs = [one for one in before if "order-71" in one["sk"] or "order-71" in one["pk"]]
    words = [one["sk"].partition("#")[0] for one in theirs if one["pk"].startswith("word#")]
    found_by = ("erlenkamp71", "kiosk71", "quellweg71", "ort71", "493055570", "kn71", "ref71")
    found_by += ("acc71", "1emh71", "51238671", "de00056271", "spn71", "zap71", "re71", "item71")
    assert [w for w in found_by if not any(one.startswith(w) for one in words)] == []
    assert erase(applied)["orders"] == 1
    index(applied)
    run(applied, "finish_erasures", {})
    assert applied.items("SearchTable") == [one for one in before if one not in theirs]
    figures = json.dumps(applied.items("FiguresTable"), default=str).lower()
    assert not any(word in figures for word in ("erlenkamp71", "ref-71"))
