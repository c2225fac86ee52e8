"""Python values as DynamoDB attributes, and back.

It does the same as boto3's serializers, whose import takes a third as long as botocore's. Items
contain no bytes, so what is written here is JSON as it is sent to DynamoDB (see ``clients``).
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

MOST_DIGITS: Final = 38
"""Maximum number of digits of a number in DynamoDB."""


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of the values that are not None.

    :raises TypeError: for a value for which DynamoDB has no type, such as ``float``
    :raises ValueError: for a number that is infinite, or has more than 38 digits
    """
    return {name: _attribute(value) for name, value in values.items() if value is not None}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Values of attributes; whole numbers are ``Decimal``, like every number."""
    return {name: _value(attribute) for name, attribute in item.items()}


def as_int(value: Decimal | int) -> int:
    return int(value)


def _attribute(value: object) -> dict[str, Any]:
    if type(value) is str:
        # Most values are texts, and each write of an order has about a hundred.
        return {"S": value}
    write = _WRITERS.get(type(value)) or _writer_of(value)
    return write(value)


def _writer_of(value: object) -> Callable[[Any], dict[str, Any]]:
    for kind, write in _WRITERS.items():
        if isinstance(value, kind):
            return write
    if isinstance(value, Mapping):
        return _map_attribute
    raise TypeError(f"DynamoDB has no type for a {type(value).__name__}")


def _map_attribute(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"M": {name: _attribute(one) for name, one in values.items()}}


def _list_attribute(values: list[Any] | tuple[Any, ...]) -> dict[str, Any]:
    return {"L": [_attribute(one) for one in values]}


def _set_attribute(members: set[Any] | frozenset[Any]) -> dict[str, Any]:
    kinds = {kind for one in members for kind in _attribute(one)}
    if kinds not in ({"S"}, {"N"}):
        raise TypeError("a set in DynamoDB has only texts or only numbers, and is not empty")
    (kind,) = kinds
    return {f"{kind}S": [_attribute(one)[kind] for one in members]}


def _number(value: int | Decimal) -> str:
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError("DynamoDB can't store an infinite number")
    if len(number.as_tuple().digits) > MOST_DIGITS:
        raise ValueError(f"DynamoDB stores at most {MOST_DIGITS} digits of a number")
    return str(number)


_WRITERS: Final[Mapping[type, Callable[[Any], dict[str, Any]]]] = {
    str: lambda text: {"S": str(text)},
    type(None): lambda _nothing: {"NULL": True},
    bool: lambda value: {"BOOL": value},
    int: lambda number: {"N": _number(number)},
    Decimal: lambda number: {"N": _number(number)},
    dict: _map_attribute,
    list: _list_attribute,
    tuple: _list_attribute,
    set: _set_attribute,
    frozenset: _set_attribute,
}
"""By type; ``bool`` comes before ``int``, since it is a subclass of it."""


def _value(attribute: Mapping[str, Any]) -> Any:
    ((kind, content),) = attribute.items()
    return content if kind == "S" else _READERS[kind](content)


def _same(content: Any) -> Any:
    return content


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "S": _same,
    "N": Decimal,
    "BOOL": _same,
    "NULL": lambda _content: None,
    "M": from_item,
    "L": lambda content: [_value(one) for one in content],
    "SS": set,
    "NS": lambda content: {Decimal(one) for one in content},
}
