"""A provider's free text as one of the documented causes."""

import pytest

from milepost.providers.causes import CAUSES, cause_of

EXAMPLES = {
    "missing_unit_number": [
        "Missing unit number",
        "Apartment number required",
        "The unit number is missing",
    ],
    "outside_service_area": [
        "Outside the service area",
        "Service not available at this address",
        "No coverage at premises",
        "Out of area",
    ],
    "invalid_address": ["Invalid address", "Address could not be found", "Incomplete address"],
    "customer_not_home": ["Customer not home", "Nobody was at home", "Missed appointment"],
    "customer_unreachable": [
        "Customer can't be reached",
        "The customer couldn’t be contacted",
        "Unable to contact the customer",
        "No answer from customer",
    ],
    "customer_cancelled": [
        "Customer cancels",
        "Customer changed their mind",
        "Cancelled by the customer",
    ],
    "equipment_not_available": ["Equipment not available", "Modem out of stock"],
    "installation_complications": ["Installation complications", "Conduit blocked"],
    "service_interruption": ["Planned outage", "Network fault"],
    "other": ["Credit check failed", "-", "Kunde hat storniert"],
}


@pytest.mark.parametrize(
    ("reason", "cause"),
    [(reason, cause) for cause, reasons in EXAMPLES.items() for reason in reasons],
)
@pytest.mark.parametrize("write", [str, str.upper, str.lower], ids=["as is", "upper", "lower"])
def test_a_reason_names_its_cause_however_it_is_written(
    reason: str, cause: str, write: type[str]
) -> None:
    assert cause_of(write(reason)) == cause


def test_every_cause_has_an_example() -> None:
    assert EXAMPLES.keys() == CAUSES.keys() | {"other"}


@pytest.mark.parametrize("reason", [None, ""])
def test_without_a_reason_there_is_no_cause(reason: str | None) -> None:
    assert cause_of(reason) is None


def test_a_very_long_reason_is_read_in_no_time() -> None:
    assert cause_of("customer unit address " * 5_000) == "other"
