"""The cost of declared providers' adapter: Offergrid's orders, declared and with code.

``python -m bench.declared``. Prints microseconds of processor time an order, and their ratio.
"""

import statistics
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli.providers.file import read_provider
from milepost.connections.connection import Connection
from milepost.providers.base import Provider
from milepost.providers.declared.adapter import DeclaredProvider
from milepost.providers.offergrid import Offergrid

BASE = "https://api.offergrid.io"
FILE = Path(__file__).parents[1] / "tests/unit/providers/declared/offergrid.yaml"
ORDERS = 300
ROUNDS = 15
CONNECTION = Connection(id="bench", provider="offergrid", base_url=BASE)


def order(number: int) -> dict[str, Any]:
    item = {
        "itemId": f"item-{number}", "status": "scheduled", "offerId": "off-1",
        "offerName": "Solar 6.6 kW", "serviceType": "solar", "provider": "Sun",
        "providerNotes": "Next steps: wait\nTimeline: soon", "reason": None,
        "scheduledFor": "2026-04-01T09:00:00+11:00", "accountNumber": "123",
        "updatedAt": "2026-03-02T09:00:00Z",
        "commission": {"amount": "75.50", "currency": "AUD", "status": "earned", "paidAt": None},
    }  # fmt: skip
    return {
        "orderId": f"ord-{number}", "createdAt": "2026-03-01T09:00:00Z",
        "updatedAt": "2026-03-02T09:00:00Z", "reference": f"R-{number}",
        "customer": {"firstName": "Kim", "lastName": "Example", "email": "kim@example.org"},
        "address": {"street": f"{number} Sample St", "suburb": "Carlton", "city": "Melbourne"},
        "items": [item],
    }  # fmt: skip


def microseconds(provider: Provider, orders: list[dict[str, Any]], now: datetime) -> float:
    began = time.process_time()
    for one in orders:
        provider.read_order(one, connection=CONNECTION, requested_at=now)
    return (time.process_time() - began) / len(orders) * 1e6


def main() -> None:
    declared = DeclaredProvider(read_provider(FILE), base_url=BASE)
    orders, now = [order(number) for number in range(ORDERS)], datetime.now(UTC)
    pairs = [
        (microseconds(Offergrid(), orders, now), microseconds(declared, orders, now))
        for _ in range(ROUNDS)
    ]
    programmed, said = (statistics.median(one) for one in zip(*pairs, strict=True))
    print(f"programmed {programmed:.0f} µs, declared {said:.0f} µs: {said / programmed:.2f} times")


if __name__ == "__main__":
    main()
