"""What orders earn, when it is due, and whether it was paid."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from milepost.actions.action import COMMISSION_PAID
from milepost.common.status import Status
from milepost.connections.connection import CommissionTerms, Connection
from milepost.orders.lifecycle import fold
from milepost.orders.provider_rules import Rules
from milepost.orders.report import Report, Source
from milepost.queries.commission import Commission, State, commissions, due_on, terms_of
from tests.builders import KEY, RABOT, minute, report

ONCE = CommissionTerms(amount="75.50", currency="EUR", due_day=15)
MONTHLY = replace(ONCE, recurring="monthly")
RULES = Rules(
    continues={"Delivery": frozenset({Status.CANCELLED})},
    recovers={"completed": frozenset({Status.REJECTED})},
)
DAY = 60 * 24


def at(month: int, day: int, hour: int = 12, year: int = 2026) -> float:
    """As minutes after the noon from which reports count."""
    return (datetime(year, month, day, hour, tzinfo=UTC) - minute(0)).total_seconds() / 60


def earned(
    *reports: Report, now: tuple[int, int] = (6, 1), terms: CommissionTerms | None = ONCE
) -> list[Commission]:
    connection: Connection = replace(RABOT, commission=(terms,) if terms else ())
    order = fold(reports, RULES)
    return commissions(order, connection, now=datetime(2026, *now, 12, tzinfo=UTC))


def states(found: list[Commission]) -> dict[str, State]:
    return {one.month: one.state for one in found}


def delivery(month: int = 3, day: int = 10, **details: Any) -> Report:
    return report(Status.ACTIVE, at(month, day), raw="Delivery", **details)


def paid(month: str, **more: str) -> Report:
    return report(
        None,
        at(7, 1),
        source=Source.PERSON,
        action=COMMISSION_PAID,
        action_key=f"paid-{month}",
        person="kim",
        note=month,
        **more,
    )


@pytest.mark.parametrize(
    ("month", "day", "due"),
    [
        ((2026, 3), 15, date(2026, 4, 15)),
        ((2026, 12), 1, date(2027, 1, 1)),
        ((2026, 1), 31, date(2026, 2, 28)),
        ((2028, 1), 30, date(2028, 2, 29)),
    ],
)
def test_it_is_due_in_the_next_month(month: tuple[int, int], day: int, due: date) -> None:
    assert due_on(date(*month, 1), day) == due


def test_a_completed_order_has_earned_once() -> None:
    assert earned(report(Status.COMPLETED, at(3, 31))) == [
        Commission(
            key=KEY,
            month="2026-03",
            due_on=date(2026, 4, 15),
            amount=Decimal("75.50"),
            currency="EUR",
            state=State.OVERDUE,
        )
    ]


@pytest.mark.parametrize(
    ("now", "state"),
    [((4, 1), State.EXPECTED), ((4, 15), State.EXPECTED), ((4, 16), State.OVERDUE)],
)
def test_it_is_overdue_once_its_day_is_over(now: tuple[int, int], state: State) -> None:
    assert states(earned(report(Status.COMPLETED, at(3, 9)), now=now)) == {"2026-03": state}


@pytest.mark.parametrize("status", [Status.PENDING, Status.REJECTED, Status.CANCELLED])
def test_an_order_that_was_not_completed_earns_nothing(status: Status) -> None:
    assert earned(report(Status.ACCEPTED, at(3, 1)), report(status, at(3, 9))) == []


def test_where_nothing_is_agreed_nothing_is_expected() -> None:
    assert earned(report(Status.COMPLETED, at(3, 9)), terms=None) == []


def test_a_completion_that_was_taken_back_earned_nothing() -> None:
    assert earned(report(Status.COMPLETED, at(3, 9)), report(Status.REJECTED, at(3, 10))) == []


def test_it_is_earned_on_completion_not_on_what_follows_it() -> None:
    found = earned(report(Status.COMPLETED, at(3, 31)), report(Status.ACTIVE, at(5, 2)))
    assert list(states(found)) == ["2026-03"]


def test_days_are_those_of_the_connection_s_time_zone() -> None:
    late_in_march = report(Status.COMPLETED, at(3, 31, hour=23))
    assert list(states(earned(late_in_march))) == ["2026-04"]


def test_what_the_provider_says_of_an_order_goes_before_the_terms() -> None:
    (found,) = earned(
        report(
            Status.COMPLETED, at(3, 9), commission={"amount": Decimal("80.005"), "currency": "AUD"}
        )
    )
    assert (found.amount, found.currency) == (Decimal("80.005"), "AUD")


@pytest.mark.parametrize(
    "said", [{"status": "paid"}, {"status": "earned", "paid_at": "2026-04-14T00:00:00Z"}]
)
def test_the_provider_s_word_pays_it(said: dict[str, str]) -> None:
    assert states(earned(report(Status.COMPLETED, at(3, 9), commission=said))) == {
        "2026-03": State.PAID
    }


@pytest.mark.parametrize("status", ["pending", "earned", "clawed_back"])
def test_what_is_not_called_paid_is_not(status: str) -> None:
    found = earned(report(Status.COMPLETED, at(3, 9), commission={"status": status}))
    assert states(found) == {"2026-03": State.OVERDUE}


def test_a_recurring_one_is_earned_in_each_month_so_far() -> None:
    assert states(earned(delivery(), terms=MONTHLY, now=(6, 1))) == {
        "2026-03": State.OVERDUE,
        "2026-04": State.OVERDUE,
        "2026-05": State.EXPECTED,
        "2026-06": State.EXPECTED,
    }


def test_a_recurring_one_ends_with_the_cancellation() -> None:
    cancelled = report(Status.CANCELLED, at(4, 20))
    assert list(states(earned(delivery(), cancelled, terms=MONTHLY))) == ["2026-03", "2026-04"]


@pytest.mark.parametrize("ends", ["2026-05-31", "2026-05-31T10:00:00Z"])
def test_a_recurring_one_ends_with_the_delivery(ends: str) -> None:
    cancelled = report(Status.CANCELLED, at(4, 20), delivery_end=ends)
    found = earned(delivery(), cancelled, terms=MONTHLY, now=(9, 1))
    assert list(states(found)) == ["2026-03", "2026-04", "2026-05"]


def test_a_payment_pays_the_oldest_month_that_is_open() -> None:
    first = delivery(commission={"status": "paid", "paid_at": "2026-04-15T00:00:00Z"})
    again = report(
        None, at(5, 20), commission={"status": "paid", "paid_at": "2026-05-15T00:00:00Z"}
    )
    found = states(earned(first, again, again, terms=MONTHLY, now=(6, 20)))
    assert found == {
        "2026-03": State.PAID,
        "2026-04": State.PAID,
        "2026-05": State.OVERDUE,
        "2026-06": State.EXPECTED,
    }


def test_a_person_says_which_month_was_paid() -> None:
    known = delivery(commission={"status": "paid", "paid_at": "2026-04-15T00:00:00Z"})
    found = states(earned(known, paid("2026-03"), terms=MONTHLY, now=(5, 20)))
    assert found == {"2026-03": State.PAID, "2026-04": State.PAID, "2026-05": State.EXPECTED}
    assert states(earned(delivery(), paid("2026-04"), terms=MONTHLY, now=(5, 20))) == {
        "2026-03": State.OVERDUE,
        "2026-04": State.PAID,
        "2026-05": State.EXPECTED,
    }


@pytest.mark.parametrize("mark", [paid("2031-01"), paid("soon"), paid("2026-03", result="refused")])
def test_a_mark_that_names_no_month_of_it_pays_nothing(mark: Report) -> None:
    assert states(earned(delivery(), mark)) == {"2026-03": State.OVERDUE}


def test_an_amount_that_the_provider_names_counts_without_terms() -> None:
    named = {"amount": Decimal("42.50"), "currency": "AUD"}
    completed = report(Status.COMPLETED, at(3, 31), commission=named)
    (one,) = earned(completed, terms=None)
    assert (one.amount, one.currency, one.due_on) == (Decimal("42.50"), "AUD", date(2026, 4, 1))
    assert one.state is State.OVERDUE
    assert earned(report(Status.COMPLETED, at(3, 31)), terms=None) == []
    without_currency = report(Status.COMPLETED, at(3, 31), commission={"amount": Decimal(1)})
    assert earned(without_currency, terms=None) == []


SOUTHERN: dict[str, Any] = {"offer": {"supplier": "Southern Fibre"}, "service_type": "internet"}
BY_ORDER = (
    ONCE,
    replace(ONCE, amount="10", service="internet"),
    replace(ONCE, amount="20", supplier="Southern Fibre"),
    replace(ONCE, amount="30", supplier="Southern Fibre", service="internet", due_day=20),
)


@pytest.mark.parametrize("order", [BY_ORDER, BY_ORDER[::-1]])
@pytest.mark.parametrize(
    ("details", "amount"),
    [
        (SOUTHERN, "30"),
        ({**SOUTHERN, "service_type": " Internet "}, "30"),
        ({**SOUTHERN, "service_type": "mobile"}, "20"),
        ({"offer": {"supplier": "SOUTHERN  fibre"}}, "20"),
        ({**SOUTHERN, "offer": {"supplier": "Northern"}}, "10"),
        ({"service_type": "internet"}, "10"),
        ({"service_type": "tv"}, "75.50"),
        ({}, "75.50"),
    ],
)
def test_the_most_specific_terms_that_match_hold_in_whatever_order_they_stand(
    order: tuple[CommissionTerms, ...], details: Any, amount: str
) -> None:
    connection = replace(RABOT, commission=order)
    found = terms_of(details, connection)
    assert found is not None
    assert found.amount == amount


def test_a_connections_service_counts_for_orders_that_name_none() -> None:
    connection = replace(RABOT, commission=BY_ORDER, service_type="internet")
    found = terms_of({}, connection)
    assert found is not None
    assert found.amount == "10"


def test_an_order_that_no_terms_match_earns_what_the_provider_names() -> None:
    connection = replace(RABOT, commission=BY_ORDER[1:])
    assert terms_of({"service_type": "tv"}, connection) is None
    named = terms_of({"commission": {"amount": Decimal("5.5"), "currency": "AUD"}}, connection)
    assert named == CommissionTerms(amount="5.5", currency="AUD")
