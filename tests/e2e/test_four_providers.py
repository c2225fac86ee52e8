"""All four providers move through all their statuses, each as the design's table says."""

from typing import Any

import pytest

from tests.e2e.conftest import Client, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.thorough]

CANONICAL = {
    "rabot": {
        "Open": "pending",
        "Processing": "submitted",
        "PendingDelivery": "scheduled",
        "Delivery": "active",
        "Rejected": "rejected",
        "Denied": "rejected",
        "Revoked": "cancelled",
        "Cancelled": "cancelled",
        "Unspecified": None,
    },
    "offergrid": {
        "pending": "pending",
        "submitted_to_provider": "submitted",
        "accepted": "accepted",
        "rejected": "rejected",
        "scheduled": "scheduled",
        "in_progress": "in_progress",
        "completed": "completed",
        "active": "active",
        "cancelled": "cancelled",
        "failed": "failed",
    },
    "subs": {
        "Application Fee Generated": "pending",
        "Inspection Initiated": "submitted",
        "Contract Generated": "accepted",
        "Connection Fee Generated": "accepted",
        "Installation Initiated": "in_progress",
        "Completed": "completed",
        "Inspection Failed": "rejected",
    },
    "spirii": {
        "Pending": "pending",
        "Scheduled": "scheduled",
        "Fulfilled": "completed",
        "Cancelled": "cancelled",
    },
}
CONNECTIONS = {
    "offergrid-business": "offergrid",
    "rabot-energy": "rabot",
    "subs-grid": "subs",
    "spirii-charge": "spirii",
}


def stored(client: Client) -> list[dict[str, Any]]:
    pages = client.stack.client("dynamodb").get_paginator("scan")
    found = pages.paginate(TableName=client.stack.resource_id("OrdersTable"))
    return [item for page in found for item in page["Items"]]


def seen_statuses(client: Client, connection: str) -> dict[str, str | None]:
    """Every raw status on the timelines of a connection, with the canonical one beside it."""
    timelines = [i["timeline"]["L"] for i in stored(client) if i["connection"]["S"] == connection]
    entries = [entry["M"] for timeline in timelines for entry in timeline]
    # What a person did is on the timeline too, and has no status.
    said = [entry for entry in entries if "status" in entry or "raw" in entry]
    return {
        entry.get("raw", entry.get("status"))["S"]: entry.get("status", {}).get("S")
        for entry in said
    }


@pytest.fixture(scope="module")
def lived(client: Client) -> None:
    """One order for each raw status of each provider, and the demo of each to its end."""
    for connection in CONNECTIONS:
        client.steer(connection, "demo", {"orders": 8, "seconds": 8, "seed": 7})
    for connection, provider in CONNECTIONS.items():
        for raw in CANONICAL[provider]:
            order = client.steer(connection, "orders", {})
            name = order.get("orderId") or order.get("contractNumber") or order["id"]
            item = {"itemId": order["items"][0]["itemId"]} if "items" in order else {}
            client.steer(connection, f"orders/{name}/move", {"status": raw, **item})
    for connection in CONNECTIONS:
        wait_for(
            lambda c=connection: not client.steer(c, "demo", method="GET")["running"],
            what=f"the demo of {connection} to end",
        )
        client.poll(connection)


@pytest.mark.usefixtures("lived")
@pytest.mark.parametrize("connection", CONNECTIONS)
def test_every_raw_status_is_stored_with_the_canonical_one(client: Client, connection: str) -> None:
    expected = CANONICAL[CONNECTIONS[connection]]

    def all_seen() -> bool:
        return set(expected) <= set(seen_statuses(client, connection))

    wait_for(all_seen, what=f"every raw status of {connection}")
    seen = seen_statuses(client, connection)
    assert {raw: seen[raw] for raw in expected} == expected


@pytest.mark.thorough
@pytest.mark.usefixtures("lived")
@pytest.mark.parametrize("connection", CONNECTIONS)
def test_the_stored_orders_are_those_of_the_provider(client: Client, connection: str) -> None:
    listed = client.steer(connection, "orders", method="GET")
    orders = listed["orders"] if isinstance(listed, dict) else listed
    names = {one.get("orderId") or one.get("contractNumber") or one["id"] for one in orders}

    def all_there() -> bool:
        client.poll(connection)
        kept = {i["order_id"]["S"] for i in stored(client) if i["connection"]["S"] == connection}
        return names <= kept

    wait_for(all_there, what=f"all orders of {connection}")


@pytest.mark.usefixtures("lived")
@pytest.mark.parametrize(
    ("connection", "facts"),
    {
        "subs-grid": {
            "invoices",
            "authorization_code",
            "installer",
            "installation_type",
            "meter_phase",
            "spn",
            "meter_number",
            "account_number",
        },
        "spirii-charge": {"payment", "charge_box", "emails", "customer", "address", "offer"},
        "rabot-energy": {
            "delivery_start",
            "delivery_end",
            "delivery_state",
            "malo",
            "melo",
            "meter_number",
            "reason",
            "processing_info",
            "yearly_consumption",
        },
        "offergrid-business": {"notes", "reason", "account_number", "offer", "customer"},
    }.items(),
)
def test_what_a_provider_says_beyond_a_status_can_be_read_from_its_stored_orders(
    client: Client, connection: str, facts: set[str]
) -> None:
    client.poll(connection)
    kept = [item for item in stored(client) if item["connection"]["S"] == connection]
    said = {name for item in kept for name in item.get("details", {}).get("M", {})}
    assert facts <= said
