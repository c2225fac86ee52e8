"""Offergrid said in a file reads what its programmed adapter reads."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.providers.file import read_provider
from milepost.connections.connection import Connection
from milepost.providers.base import Provider
from milepost.providers.declared.adapter import DeclaredProvider
from milepost.providers.offergrid import STATUSES, Offergrid
from tests.builders import offergrid_event

BASE = "https://api.offergrid.io"
CONNECTION = Connection(id="offergrid-home", provider="offergrid", base_url=BASE)
NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
DECLARED = DeclaredProvider(
    read_provider(Path(__file__).with_name("offergrid.yaml")), base_url=BASE
)


def order(status: str, **item: Any) -> dict[str, Any]:
    said = {
        "itemId": "item-1", "status": status, "offerId": "off-1", "offerName": "Solar 6.6 kW",
        "serviceType": "solar", "provider": "Sun", "providerNotes": "Next steps: wait\nA remark",
        "reason": None, "scheduledFor": "2026-04-01T09:00:00+11:00", "accountNumber": "123",
        "updatedAt": "2026-03-02T09:00:00Z",
        "commission": {"amount": "75.50", "currency": "AUD", "status": "Earned", "paidAt": None},
    }  # fmt: skip
    return {
        "orderId": "ord-1", "createdAt": "2026-03-01T09:00:00Z",
        "updatedAt": "2026-03-02T09:00:00Z",
        "reference": "R-1", "customer": {"firstName": "Kim", "lastName": "Example", "phone": ""},
        "address": {"street": "1 Sample St", "suburb": "Carlton", "city": "Melbourne"},
        "items": [{**said, **item}],
    }  # fmt: skip


BY_NOTES = {"failed", "cancelled"}
"""Their reason is taken from the notes, which a file can't say."""
ORDERS = [order(word) for word in STATUSES if word not in BY_NOTES] + [
    order("ACCEPTED "),
    order("lost"),
    order("rejected", reason="credit check"),
    order("scheduled", updatedAt=None),
    order("scheduled", commission=None, scheduledFor=""),
]


@pytest.mark.parametrize("said", ORDERS)
def test_each_order_is_the_same_report(said: dict[str, Any]) -> None:
    def read(provider: Provider) -> Any:
        reports = provider.read_order(said, connection=CONNECTION, requested_at=NOW)
        return [(one.id, one.status, one.snapshot_at) for one in reports]

    assert read(DECLARED) == read(Offergrid())


def test_each_status_event_is_the_same_report() -> None:
    event = offergrid_event()
    (ours,) = DECLARED.read_event(event, connection=CONNECTION, seen_at=NOW)
    (theirs,) = Offergrid().read_event(event, connection=CONNECTION, seen_at=NOW)
    assert (ours.id, ours.status) == (theirs.id, theirs.status)
