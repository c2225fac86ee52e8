"""Python values as DynamoDB attributes, and back."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of what is not None."""
    return {k: _serializer.serialize(v) for k, v in values.items() if v is not None}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Values of attributes; whole numbers come back as ``Decimal``, as every number does."""
    return {k: _deserializer.deserialize(v) for k, v in item.items()}


def as_int(value: Decimal | int) -> int:
    return int(value)
