"""The size of an item in DynamoDB.

Source: Amazon DynamoDB Developer Guide, "DynamoDB item sizes and formats".
"""

import math
from collections.abc import Mapping
from typing import Any, Final

WRITE_UNIT: Final = 1_024
_OF_A_CONTAINER: Final = 3
_OF_AN_ELEMENT: Final = 1


def item_bytes(item: Mapping[str, Any]) -> int:
    """The bytes of an item: names and values, and the overhead of lists and maps."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def write_units(item: Mapping[str, Any]) -> int:
    """Write units for putting the item into a table, without indexes."""
    return math.ceil(item_bytes(item) / WRITE_UNIT)


def _value_bytes(attribute: Mapping[str, Any]) -> int:
    ((kind, content),) = attribute.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return (len(content.strip("-0.").replace(".", "")) + 1) // 2 + 1
    if kind == "M":
        return _OF_A_CONTAINER + item_bytes(content) + _OF_AN_ELEMENT * len(content)
    if kind == "L":
        return _OF_A_CONTAINER + sum(_OF_AN_ELEMENT + _value_bytes(one) for one in content)
    return 1
