"""Spirii's and SUBS's payloads and connections; the other providers' are in ``builders``."""

import copy
from typing import Any

from milepost.connections.connection import Connection

SPIRII = Connection(
    id="spirii-charge", provider="spirii", base_url="https://api.spirii.example", country="DK"
)
SUBS = Connection(
    id="subs-grid", provider="subs", base_url="https://subs.example", page_size=25, country="GH"
)

CHARGE_ORDER: dict[str, Any] = {
    "id": "so-90417",
    "order_number": "SP-2026-90417",
    "status": "Scheduled",
    "status_changed_at": "2026-03-05T13:20:00.000Z",
    "created_at": "2026-02-27T09:00:00.000Z",
    "updated_at": "2026-03-05T13:20:00.000Z",
    "customer": {
        "name": "Freja Lindholm",
        "email": "freja.lindholm@example.dk",
        "phone": "+45 20 55 01 43",
    },
    "address": {
        "street": "Vesterbrogade 74",
        "unit": "2. tv",
        "city": "København",
        "postcode": "1620",
        "country": "DK",
    },
    "service_type": "ev_charging",
    "product": {"id": "prod-home-22", "name": "Home charging 22 kW"},
    "onboarding_flow": {"id": "flow-home-dk", "name": "Home DK"},
    "charge_box": {"serial_number": "SPB-22-004417", "model": "Zaptec Go"},
    "payment": {
        "kind": "credit_card",
        "status": "authorized",
        "amount": "899.00",
        "currency": "DKK",
    },
    "activation_appointment": "2026-03-16T08:00:00.000Z",
    "fulfilment_scheduled_for": None,
    "fulfilled_at": None,
    "cancelled_at": None,
    "cancellation_reason": None,
    "installation": {"partner": "Nordlys El", "initiated_at": "2026-02-28T07:10:00.000Z"},
    "emails": [
        {
            "type": "order_confirmation",
            "sent": True,
            "sent_at": "2026-02-27T09:00:05.000Z",
            "not_sent_reason": None,
        }
    ],
}


def charge_order(status: str = "Scheduled", **fields: Any) -> dict[str, Any]:
    """An order of the list, according to docs/providers/spirii.md."""
    return {**copy.deepcopy(CHARGE_ORDER), "status": status, **fields}


SERVICE_REQUEST: dict[str, Any] = {
    "id": "sr-000417",
    "reference": "NC-2026-000417",
    "milestone": "Installation Initiated",
    "previous_milestone": "Connection Fee Generated",
    "milestone_at": "2026-03-09T08:00:00.000Z",
    "reason": None,
    "created_at": "2026-02-20T10:11:12.000Z",
    "updated_at": "2026-03-09T08:00:00.000Z",
    "customer": {
        "name": "Ama Boateng",
        "email": "ama.boateng@example.com",
        "phone": "+233 24 555 0143",
    },
    "address": {
        "street": "12 Ring Road East",
        "unit": "Block C",
        "city": "Accra",
        "region": "Greater Accra",
        "postcode": "GA-107-4412",
        "country": "GH",
    },
    "service_type": "new_connection",
    "installation_type": "overhead",
    "meter_phase": "three_phase",
    "invoices": [
        {
            "id": "inv-000417-1",
            "number": "NE-881204",
            "kind": "application_fee",
            "amount": "149.90",
            "currency": "GHS",
            "paid": True,
            "paid_at": "2026-02-21T07:30:00.000Z",
            "due_on": "2026-03-06",
        }
    ],
    "authorization_code": {"sent": True, "sent_at": "2026-03-03T12:00:00.000Z"},
    "installer": {"kind": "farming_out_contractor", "name": "Volta Line Works"},
    "spn": None,
    "meter_number": None,
    "account_number": None,
}


def service_request(milestone: str = "Installation Initiated", **fields: Any) -> dict[str, Any]:
    """A request of the list, according to docs/providers/subs.md."""
    return {**copy.deepcopy(SERVICE_REQUEST), "milestone": milestone, **fields}
