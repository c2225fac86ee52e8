"""``milepost doctor`` says in words what has changed in a provider's payloads."""

from types import SimpleNamespace
from typing import cast

import pytest

from cli.doctor.findings import ExaminedStack
from cli.doctor.operation_checks import check_payloads


@pytest.mark.parametrize(
    ("kind", "place", "said"),
    [
        ("unknown_status", "status", "unknown status on hold"),
        ("new_field", "order: hint", "new field order: hint (on hold)"),
        ("new_type", "order: id", "field order: id has another type (on hold)"),
        ("missing_field", "order: id", "field order: id is missing (on hold)"),
        ("of_a_newer_version", "order: id", "order: id has changed (on hold)"),
    ],
)
def test_each_kind_of_change_is_said_in_words(kind: str, place: str, said: str) -> None:
    drift = [{"kind": kind, "place": place, "detail": "on hold"}]
    patient = cast("ExaminedStack", SimpleNamespace(connections=[{"id": "shop", "drift": drift}]))
    (found,) = check_payloads(patient)
    assert found.text == f"shop: {said}"
