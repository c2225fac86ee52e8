"""Subscriptions as people declare them."""

from typing import Any

import pytest
from pydantic import ValidationError

from milepost.notifications.subscription_input import SaidSubscription


def said(**fields: Any) -> SaidSubscription:
    return SaidSubscription(**{"email": "sales@example.org", **fields})


@pytest.mark.parametrize(
    ("clock", "read"), [("08:05", "08:05"), ("00:00", "00:00"), (485, "08:05")]
)
def test_a_time_of_day_is_hours_and_minutes(clock: Any, read: str) -> None:
    assert said(daily_at=clock).daily_at == read


@pytest.mark.parametrize(
    "clock",
    ["08:05+02:00", "08:05:30", "T0805", "8:05", "08", "24:00", "٠٨:٠٥", True, 1440, -5, 8.5],
)
def test_nothing_of_a_time_of_day_is_dropped(clock: Any) -> None:
    with pytest.raises(ValidationError, match="is no time of day"):
        said(daily_at=clock)
