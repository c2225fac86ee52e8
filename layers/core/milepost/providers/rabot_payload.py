"""RABOT's order in the form of its partner API. Times have no time zone; they are local to
Berlin."""

from datetime import datetime
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import PlainValidator

from milepost.common.timestamps import read_instant
from milepost.providers.payload_types import Id, MaybeAmount, Shape, Text, Word, missing_if_blank

BERLIN: Final = ZoneInfo("Europe/Berlin")


def _berlin(value: Any) -> datetime | None:
    """A time without time zone, read as Berlin time; in the hour that occurs twice in autumn, the
    first."""
    return None if missing_if_blank(value) is None else read_instant(value, zone=BERLIN)


BerlinTime = Annotated[datetime | None, PlainValidator(_berlin)]


class Address(Shape):
    street: Text = None
    houseNumber: Text = None
    addressAddition: Text = None
    postcode: Text = None
    city: Text = None
    country: Text = None


class DeliveryState(Shape):
    startDate: BerlinTime = None
    endDate: BerlinTime = None
    state: Text = None
    message: Text = None
    denialReason: Text = None
    cancellationReason: Text = None


class Order(Shape):
    contractNumber: Id
    state: Word
    customerNumber: Text = None
    emailAddress: Text = None
    tariffName: Text = None
    firstName: Text = None
    lastName: Text = None
    businessName: Text = None
    meterNumber: Text = None
    meLoIdentifier: Text = None
    maLoIdentifier: Text = None
    deliveryAddress: Address | None = None
    processingInfo: Text = None
    denialReason: Text = None
    deliveryState: DeliveryState | None = None
    actualDateOfDelivery: BerlinTime = None
    endDateOfDelivery: BerlinTime = None
    contractSignatureDate: BerlinTime = None
    contractSignedAt: BerlinTime = None
    estimatedYearlyConsumption: MaybeAmount = None
    previousYearConsumption: MaybeAmount = None
