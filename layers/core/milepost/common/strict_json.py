"""Parses untrusted JSON: everything that is not valid has the same outcome."""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from milepost.common.errors import BadPayload

MOST_DIGITS = 200
"""Digits in one number. Longer ones are nobody's amount, and cost quadratic time to read."""


def read_json(raw: bytes) -> Any:
    """The value of strict JSON in UTF-8, with fractions as exact ``Decimal``.

    A byte order mark before it is skipped, as RFC 8259 (section 8.1) allows.

    :raises BadPayload: for anything else, also NaN, repeated keys and bottomless nesting
    """
    try:
        value = _STRICT.decode(raw.decode("utf-8-sig"))
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
    """The same, for a text that has to be a JSON object."""
    value = read_json(raw)
    if not isinstance(value, dict):
        raise BadPayload("expected a JSON object")
    return value


def write_json(value: Any) -> str:
    """JSON that ``read_json`` parses to the same value: each ``Decimal`` is a number with all its
    digits.

    Writes without recursion: a value may be nested deeper than the interpreter's stack.
    """
    written: list[str] = []
    # What is still to be written, last first: values, and texts that are JSON already (in tuples).
    left: list[Any] = [value]
    while left:
        one = left.pop()
        if isinstance(one, tuple):
            written += one
        elif isinstance(one, Mapping):
            names = [(f"{',' if place else ''}{_scalar(name)}:",) for place, name in enumerate(one)]
            inner = [part for pair in zip(names, one.values(), strict=True) for part in pair]
            left += reversed([("{",), *inner, ("}",)])
        elif isinstance(one, list):
            inner = [part for each in one for part in ((",",), each)][1:]
            left += reversed([("[",), *inner, ("]",)])
        else:
            written.append(_scalar(one))
    return "".join(written)


def _scalar(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    text = json.dumps(value, ensure_ascii=False)
    # Half a character can't be encoded; escaped, it stays what it was.
    return text if text.isascii() or _can_be_encoded(text) else json.dumps(value)


def _can_be_encoded(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


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


def canonical_json(value: Any) -> str:
    """The same text for the same value: keys sorted, no spaces, decimals with all their digits."""
    return _CANONICAL.encode(value)


def _encode(value: object) -> object:
    if isinstance(value, Decimal):
        # As DynamoDB gives it back: 75.00 is stored as 75.
        text = f"{value:f}" if value else "0"
        return {"decimal": text.rstrip("0").rstrip(".") if "." in text else text}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"cannot write a {type(value).__name__} as JSON")


_CANONICAL: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_encode
)
