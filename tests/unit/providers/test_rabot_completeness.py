"""What RABOT orders lack, said while it still helps."""

from typing import Any

import pytest

from milepost.common.status import Status
from milepost.orders.details import Details
from milepost.providers.rabot import STATUSES, examine

WHOLE: dict[str, Any] = {
    "customer": {"name": "Lena", "email": "lena@example.de"},
    "address": {"street": "Lindenstr. 14", "city": "Berlin"},
    "malo": "51238696781",
}


def missing(raw: str, **facts: Any) -> list[str]:
    status = STATUSES.get(raw)
    assert status is not None
    kept = {name: fact for name, fact in {**WHOLE, **facts}.items() if fact is not None}
    found = examine(status, Details(**kept))  # type: ignore[typeddict-item]
    return [one.text for one in found if one.code == "missing_data"]


@pytest.mark.parametrize("raw", ["Open", "open", "Processing"])
def test_numbers_of_the_meter_are_asked_for_until_it_is_confirmed(raw: str) -> None:
    (neither,) = missing(raw, malo=None)
    assert neither.startswith("Neither a MaLo number nor a meter number is known.")
    (meter,) = missing(raw, malo=None, meter_number="1EMH0012345678")
    assert meter.startswith("Only the meter number is known.")
    assert missing(raw) == []


@pytest.mark.parametrize("raw", ["Delivery", "Rejected", "Revoked", "Cancelled"])
def test_nothing_is_asked_for_once_it_does_not_help(raw: str) -> None:
    assert missing(raw, malo=None, customer=None, address=None) == []


@pytest.mark.parametrize("raw", ["Open", "Processing", "PendingDelivery"])
def test_a_missing_email_or_delivery_address_is_missing_data(raw: str) -> None:
    (email,) = missing(raw, customer={"name": "Lena"})
    assert "email address is missing" in email
    (address,) = missing(raw, address={"city": "Berlin"})
    assert "delivery address is missing" in address
    assert len(missing(raw, customer=None, address=None)) == 2


def test_the_statuses_before_the_confirmation_are_not_terminal() -> None:
    assert Status.ACTIVE not in {STATUSES.get("Open"), STATUSES.get("Processing")}
