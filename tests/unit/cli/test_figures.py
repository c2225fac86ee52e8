"""``milepost stages`` and ``commissions``."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cli.figures.commissions import sums_in_words
from milepost.common.status import Status
from milepost.connections.connection import CommissionTerms
from milepost.forecasts.minimum_samples import FOR_PERCENTILE
from milepost.orders.order import OrderKey
from tests.builders import OFFERGRID, report
from tests.unit.cli.conftest import Deployed

SLOW = OrderKey(OFFERGRID.id, "ord-slow", "item-1")
QUICK = OrderKey(OFFERGRID.id, "ord-quick", "item-1")


def keep_quick_orders(deployed: Deployed, count: int) -> None:
    keys = [replace(QUICK, item_id=f"item-{number}") for number in range(count)]
    deployed.keep(
        *(report(Status.SUBMITTED, 0, key=key) for key in keys),
        *(report(Status.ACCEPTED, 90, key=key) for key in keys),
        report(Status.SUBMITTED, 0, key=SLOW, reference="PP-9"),
    )


@pytest.mark.thorough
def test_stages_are_told_in_words_and_slow_orders_by_name(deployed: Deployed) -> None:
    keep_quick_orders(deployed, FOR_PERCENTILE)
    said = deployed.say("stages", "--from", "2026-03", "--to", "2026-03")
    (row,) = [line.split() for line in said.splitlines() if line.startswith(OFFERGRID.id + " ")]
    assert row[1:5] == ["submitted", str(FOR_PERCENTILE), "1", "h"]
    assert "ord-slow" in said
    assert "1 h 30 min" in said
    assert deployed.tell("stages", "--from", "2026-03", "--to", "2026-03")["slow"][0]["id"] == (
        SLOW.path_id
    )


@pytest.mark.thorough
def test_stages_are_told_by_the_provider_s_words(deployed: Deployed) -> None:
    deployed.keep(
        report(Status.ACCEPTED, 0, key=QUICK, raw="Contract Generated"),
        report(Status.ACCEPTED, 60, key=QUICK, raw="Connection Fee Generated"),
        report(Status.COMPLETED, 180, key=QUICK),
    )
    month = ("--from", "2026-03", "--to", "2026-03", "--by", "raw_status")
    said = deployed.say("stages", *month)
    assert "Contract Generated" in said
    found = deployed.tell("stages", *month)["stages"]
    assert [(one["raw_status"], one["mean"]) for one in found] == [
        ("Connection Fee Generated", 7200),
        ("Contract Generated", 3600),
    ]
    rows = deployed.say("stages", *month, "--csv").splitlines()
    assert rows[0].split(",")[2:5] == ["stage", "raw_status", "count"]
    assert "Contract Generated" in rows[2]


@pytest.mark.thorough
def test_of_too_few_orders_nothing_is_concluded(deployed: Deployed) -> None:
    keep_quick_orders(deployed, FOR_PERCENTILE - 1)
    said = deployed.say("stages", "--from", "2026-03", "--to", "2026-03")
    assert "not enough yet" in said
    assert "ord-slow" not in said
    found = deployed.tell("stages", "--from", "2026-03", "--to", "2026-03")
    assert found["slow"] == []
    assert [(one["count"], one["median"], one["p90"]) for one in found["stages"]] == [
        (FOR_PERCENTILE - 1, None, None)
    ]


@pytest.mark.thorough
def test_a_time_without_ended_stages_is_said_to_be_so(deployed: Deployed) -> None:
    said = deployed.say("stages", "--from", "2025-01", "--to", "2025-02")
    assert "Stages that ended from 2025-01 to 2025-02" in said
    assert "None ended in this period." in said


@pytest.mark.thorough
def test_a_month_that_is_none_is_wrong_use(deployed: Deployed) -> None:
    result = deployed.run("stages", "--from", "March")
    assert result.exit_code == 2
    assert "from: " in result.output


def test_commissions_are_listed_and_summed(deployed: Deployed) -> None:
    paying = replace(
        OFFERGRID, commission=(CommissionTerms(amount="75.50", currency="AUD", due_day=15),)
    )
    deployed.stack.apply(paying)
    at = (datetime.now(UTC) - datetime(2026, 3, 2, 12, tzinfo=UTC)).total_seconds() / 60 - 10
    deployed.keep(
        report(Status.ACCEPTED, at, key=QUICK), report(Status.COMPLETED, at + 1, key=QUICK)
    )
    said = deployed.say("commissions")
    assert "75.50 AUD" in said
    assert said.splitlines()[-1] == "In all: 75.50 AUD expected."


def test_there_may_be_no_commissions(deployed: Deployed) -> None:
    assert deployed.say("commissions").strip() == "No commissions."


def test_sums_are_exact_and_apart_by_state_and_currency() -> None:
    found = [
        {"state": "expected", "currency": "EUR", "amount": "0.10"},
        {"state": "expected", "currency": "EUR", "amount": "0.20"},
        {"state": "paid", "currency": "DKK", "amount": "5"},
    ]
    assert sums_in_words(found) == "0.30 EUR expected, 5 DKK paid"
