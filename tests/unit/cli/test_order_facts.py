"""`orders show` prints what is known of an order, a subject a line."""

from typing import Any

from cli.local_times import read_zone
from cli.orders.fact_lines import fact_lines

ZONE = read_zone("Europe/Berlin")
KNOWN: dict[str, Any] = {
    "customer": {"name": "Ama Boateng", "email": "ama@example.com", "phone": "+233 20 555 0101"},
    "address": {"street": "12 Ring Road", "unit": "4", "postcode": "3000", "city": "Melbourne"},
    "offer": {"name": "Fibre 1000", "supplier": "Southern Fibre"},
    "reason": "SCHUFA",
    "cause": "credit_check",
    "processing_info": "With the grid operator",
    "spn": "SPN-1",
    "meter_number": "1EMH001",
    "malo": "51238696781",
    "account_number": "AC-55",
    "delivery_start": "2026-03-01",
    "delivery_end": "2026-09-30",
    "installer": {"name": "Volt", "kind": "contractor"},
    "payment": {"kind": "credit_card", "status": "failed", "amount": "99.90", "currency": "DKK"},
    "commission": {"amount": "75.50", "currency": "EUR", "paid_at": "2026-04-01T10:00:00Z"},
    "fulfilment_at": "2026-03-02T08:00:00Z",
    "invoices": [
        {"number": "NE-1", "kind": "application_fee", "amount": "20", "currency": "GHS"},
        {"number": "NE-2", "paid": True, "paid_at": "2026-03-01T10:00:00Z"},
        {"id": "9", "paid": False, "due_on": "2026-03-20"},
    ],
    "notes": [
        {"kind": "next_steps", "text": "A date follows"},
        {"kind": "timeline", "text": "7 days"},
        {"kind": "customer_contact", "text": "Called twice"},
        {"kind": "account_details", "text": "Letter sent"},
        {"kind": "special_instructions", "text": "Ring at the back"},
        {"kind": "else", "text": "Dog"},
    ],
}


def test_everything_that_is_known_has_its_line() -> None:
    assert list(fact_lines(KNOWN, ZONE)) == [
        "customer: Ama Boateng, ama@example.com, +233 20 555 0101",
        "address: 12 Ring Road, 4, 3000, Melbourne",
        "product: Fibre 1000, by Southern Fibre",
        "reason: SCHUFA (credit check)",
        "remark: With the grid operator",
        "identifiers: SPN SPN-1, meter 1EMH001, MaLo 51238696781, account AC-55",
        "supply: from 2026-03-01, ends 2026-09-30",
        "installer: Volt, contractor",
        "payment: credit card, 99.90 DKK, failed",
        "commission: 75.50 EUR, paid 2026-04-01 12:00",
        "fulfilment planned at the provider: 2026-03-02 09:00",
        "invoice: NE-1, application fee, 20 GHS, not paid",
        "invoice: NE-2, paid 2026-03-01 11:00",
        "invoice: 9, not paid, due on 2026-03-20",
        "next steps: A date follows",
        "timeline: 7 days",
        "contact with the customer: Called twice",
        "account details: Letter sent",
        "special instructions: Ring at the back",
        "note: Dog",
    ]


def test_what_is_not_known_has_none() -> None:
    assert list(fact_lines({}, ZONE)) == []
