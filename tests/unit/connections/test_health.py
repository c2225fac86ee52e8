"""Health: what a connection's condition follows from."""

from dataclasses import replace
from datetime import timedelta

import pytest

from milepost.connections.health import Condition, Contact, health_of
from tests.builders import NOON, OFFERGRID, minute

POLLED = replace(OFFERGRID, poll_minutes=5)


@pytest.mark.parametrize(
    ("contact", "condition"),
    [
        (Contact(), Condition.NEVER_POLLED),
        (Contact(last_success_at=minute(-5)), Condition.WORKS),
        (Contact(last_success_at=minute(-7)), Condition.WORKS),
        (Contact(last_success_at=minute(-8)), Condition.LATE),
        (Contact(last_success_at=minute(-1), failures=1), Condition.FAILING),
        (Contact(failures=2, not_before=minute(3)), Condition.WAITING),
        (Contact(failures=2, not_before=minute(-3)), Condition.FAILING),
    ],
)
def test_a_polled_connection_is_as_its_last_polls_went(
    contact: Contact, condition: Condition
) -> None:
    assert health_of(POLLED, contact, now=NOON).condition is condition


def test_a_connection_without_a_schedule_is_never_late() -> None:
    health = health_of(OFFERGRID, Contact(last_success_at=minute(-9999)), now=NOON)
    assert (health.condition, health.lag) == (Condition.NOT_POLLED, None)


def test_lag_is_counted_from_when_the_next_poll_should_have_succeeded() -> None:
    late = health_of(POLLED, Contact(last_success_at=minute(-65)), now=NOON)
    assert late.lag == timedelta(hours=1)
    early = health_of(POLLED, Contact(last_success_at=minute(-1)), now=NOON)
    assert early.lag == timedelta(0)
