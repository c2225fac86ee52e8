"""Reading untrusted JSON: one outcome for everything that is not what it should be."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from milepost.report import BadPayload, canonical_json

MOST_DIGITS = 200
"""Digits in one number. Longer ones are nobody's amount, and cost quadratic time to read."""


def read_json(raw: bytes) -> Any:
    """The value of strict JSON in UTF-8, its fractions as exact ``Decimal``.

    :raises BadPayload: for anything else, also NaN, repeated keys and bottomless nesting
    """
    try:
        value = _STRICT.decode(raw.decode("utf-8"))
        if b"\\u" in raw:
            # An escaped half of a surrogate pair is JSON, but no text that could be stored.
            canonical_json(value).encode()
    except UnicodeError:
        raise BadPayload("not UTF-8") from None
    except json.JSONDecodeError as error:
        raise BadPayload(f"not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise BadPayload("nested too deep") from None
    return value


def read_object(raw: bytes) -> dict[str, Any]:
    """The same, for what has to be a JSON object."""
    value = read_json(raw)
    if not isinstance(value, dict):
        raise BadPayload("expected a JSON object")
    return value


def write_json(value: Any) -> str:
    """JSON that ``read_json`` reads as the same value: a ``Decimal`` as a number, to the digit."""
    match value:
        case dict():
            pairs = (f"{json.dumps(k)}:{write_json(v)}" for k, v in value.items())
            return "{" + ",".join(pairs) + "}"
        case list():
            return "[" + ",".join(map(write_json, value)) + "]"
        case Decimal():
            return str(value)
    return json.dumps(value, ensure_ascii=False)


def _decimal(text: str) -> Decimal:
    if len(text) > MOST_DIGITS:
        raise BadPayload("a number with too many digits")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise BadPayload("a number with too many digits") from None
    # An exponent is short to write, and as many zeros as it says when it is written out.
    if abs(number.adjusted()) > MOST_DIGITS:
        raise BadPayload("a number with too many digits")
    return number


def _integer(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise BadPayload("a number with too many digits")
    return int(text)


def _refuse_constant(name: str) -> NoReturn:
    raise BadPayload(f"{name} is not JSON")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise BadPayload("a key is given twice in one object")
    return value


_STRICT: Final = json.JSONDecoder(
    parse_float=_decimal,
    parse_int=_integer,
    parse_constant=_refuse_constant,
    object_pairs_hook=_unique_keys,
)
