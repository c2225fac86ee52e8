"""The limit: a signature checked by C, and JSON read by msgspec straight into types."""

import base64
import hmac
import json
import sys
import time  # noqa: F401 - what measures is added at the end
from datetime import datetime
from decimal import Decimal

import msgspec


class Customer(msgspec.Struct):
    firstName: str | None = None
    lastName: str | None = None
    email: str | None = None
    phone: str | None = None


class Address(msgspec.Struct):
    street: str | None = None
    unitNumber: str | None = None
    suburb: str | None = None
    city: str | None = None
    state: str | None = None
    postcode: str | None = None
    country: str | None = None


class Commission(msgspec.Struct):
    amount: Decimal | None = None
    currency: str | None = None
    status: str | None = None
    paidAt: datetime | None = None


class Item(msgspec.Struct):
    itemId: str
    status: str
    offerId: str | None = None
    offerName: str | None = None
    serviceType: str | None = None
    provider: str | None = None
    providerNotes: str | None = None
    reason: str | None = None
    scheduledFor: datetime | None = None
    accountNumber: str | None = None
    updatedAt: datetime | None = None
    commission: Commission | None = None


class Order(msgspec.Struct):
    orderId: str
    updatedAt: datetime
    items: list[Item]
    createdAt: datetime | None = None
    reference: str | None = None
    customer: Customer | None = None
    address: Address | None = None


asked = json.loads(sys.argv[1])
body, headers = asked["body"].encode(), asked["headers"]
key = base64.b64decode(asked["secret"].removeprefix("whsec_"))
decoder = msgspec.json.Decoder(Order)


def once() -> Order:
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    given = base64.b64decode(headers["webhook-signature"].removeprefix("v1,"))
    assert hmac.compare_digest(hmac.digest(key, signed, "sha256"), given)
    assert abs(asked["now"] - int(headers["webhook-timestamp"])) <= 300
    return decoder.decode(body)
