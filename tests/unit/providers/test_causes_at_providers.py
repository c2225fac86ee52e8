"""Every adapter names the cause of a reason, with its connection's own phrases first."""

from dataclasses import replace
from typing import Any

import pytest

from milepost.connections.connection import Connection
from milepost.providers.rabot import Rabot
from milepost.providers.spirii import Spirii
from milepost.providers.subs import Subs
from tests.builders import NOON, RABOT, rabot_order
from tests.payloads import SPIRII, SUBS, charge_order, service_request

PHRASES = {"existing_contract": ("Bonitaetspruefung",)}


def cause(adapter: Any, order: dict[str, Any], connection: Connection) -> str | None:
    (report,) = adapter.read_order(order, connection=connection, requested_at=NOON)
    found: str | None = report.details.get("cause")
    return found


@pytest.mark.parametrize(
    ("adapter", "order", "connection"),
    [
        (Rabot(), rabot_order("Rejected", denialReason="Bonitätsprüfung"), RABOT),
        (Subs(), service_request("Inspection Failed", reason="Bonitätsprüfung"), SUBS),
        (Spirii(), charge_order("Cancelled", cancellation_reason="Bonitätsprüfung"), SPIRII),
    ],
    ids=["rabot", "subs", "spirii"],
)
def test_a_reason_has_a_cause_and_a_connections_phrases_go_first(
    adapter: Any, order: dict[str, Any], connection: Connection
) -> None:
    assert cause(adapter, order, connection) == "credit_check"
    assert cause(adapter, order, replace(connection, causes=PHRASES)) == "existing_contract"


@pytest.mark.parametrize("reason", [None, "Widerrufsfrist genutzt", "Insolvenz"])
def test_it_is_the_customer_who_revokes_at_rabot(reason: str | None) -> None:
    delivery = {"cancellationReason": reason}
    order = rabot_order("Revoked", deliveryState=delivery)
    assert cause(Rabot(), order, RABOT) == "customer_revoked"


def test_an_order_that_goes_on_has_none() -> None:
    assert cause(Rabot(), rabot_order("Processing"), RABOT) is None
