"""A limited JMESPath: expressions of a file can only read a payload.

Source: jmespath.org specification. An expression sees only the payload and runs no code, and its
time is proportional to its own length and the payload's: parts that could multiply a value, or
compare every part of a payload with every other, are refused when the file is read.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult, Parser

LONGEST: Final = 300
DEEPEST: Final = 12
MOST_NODES: Final = 60
MOST_GROWTH: Final = 16
"""How many times larger than its input a value may become."""
_FUNCTIONS: Final = frozenset(
    {
        *("contains", "ends_with", "join", "keys", "length", "max", "max_by", "merge", "min"),
        *("min_by", "not_null", "reverse", "sort", "sort_by", "starts_with", "to_array"),
        *("to_number", "to_string", "type", "values", "sum"),
    }
)
_MISSING: Final = object()
Read: TypeAlias = Callable[[Any], Any]
"""Applies an expression to a payload; None if it finds nothing."""


class BadExpression(ValueError):
    """Not JMESPath, or not allowed here; the message says what to change."""


class Unfit(Exception):
    """The expression can't be applied to this payload: a function got a value of the wrong type."""


def check_expression(text: str) -> str:
    """Check an expression and return it unchanged.

    :raises BadExpression: when it can't be used
    """
    compile_expression(text)
    return text


@lru_cache(maxsize=512)
def compile_expression(text: str) -> Read:
    """A function that applies this expression. It raises ``Unfit`` and no other exception.

    :raises BadExpression: when it can't be used
    """
    parsed = _parse(text)
    plain = _plainly(parsed.parsed)
    if plain is not None:
        return plain

    def read(payload: Any) -> Any:
        try:
            return parsed.search(payload)
        except (
            JMESPathError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError,
        ) as error:  # fmt: skip
            raise Unfit(type(error).__name__) from None

    return read


def names_in(text: str) -> tuple[str, ...] | None:
    """The names in an expression that is a plain path, such as ``data.orders``; else None.

    ``@``, the payload itself, is a path without names.
    """
    return _names_of(_parse(text).parsed)


def lists_in(text: str) -> list[tuple[str, ...]]:
    """The plain paths to lists whose elements an expression reads one by one.

    Of such a list, each element alone gives what it gives among the others: ``lines`` and
    ``data.lines[?kind == 'x']`` do, ``lines[0]`` and ``reverse(lines)`` don't.
    """
    return [names for names in _lists_in(_parse(text).parsed) if names]


def at_names(payload: Any, names: tuple[str, ...]) -> Any:
    """The value at a path of names in a payload; None if there is none."""
    return _by_names(names)(payload) if names else payload


def replaced_at(payload: Any, names: tuple[str, ...], value: Any) -> Any:
    """A copy of a payload with another value at an existing path of names."""
    if not names:
        return value
    first, *rest = names
    return {**payload, first: replaced_at(payload[first], tuple(rest), value)}


def roots_of(text: str) -> set[tuple[str, ...]]:
    """The paths of the payload that an expression may read, each up to its last plain name."""
    found: set[tuple[str, ...]] = set()
    _collect(_parse(text).parsed, (), found)
    return found


def _parse(text: str) -> ParsedResult:
    if len(text) > LONGEST:
        raise BadExpression(f"is longer than {LONGEST} characters")
    try:
        parsed = Parser().parse(text)
    except (JMESPathError, ValueError, RecursionError) as error:
        where = getattr(error, "lex_position", None)
        at = f" at character {where + 1}" if isinstance(where, int) else ""
        raise BadExpression(f"is not JMESPath{at}: see jmespath.org") from None
    count = _check(parsed.parsed, 1)
    if count > MOST_NODES:
        raise BadExpression(f"has more than {MOST_NODES} parts: write a shorter one")
    if _growth(parsed.parsed) > MOST_GROWTH:
        raise BadExpression("could make a value many times as large as the payload")
    return parsed


def _check(node: Mapping[str, Any], depth: int) -> int:
    """Check that each part of the expression is allowed; returns the number of parts."""
    if depth > DEEPEST:
        raise BadExpression(f"is nested deeper than {DEEPEST} levels")
    if node["type"] == "function_expression":
        name = node["value"]
        if name not in _FUNCTIONS:
            raise BadExpression(f"{name} can't be used: there are {', '.join(sorted(_FUNCTIONS))}")
        if name == "join" and node["children"] and node["children"][0]["type"] != "literal":
            raise BadExpression("join takes a text in quotes before what it joins")
    return 1 + sum(_check(one, depth + 1) for one in _children(node))


def _children(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The parts of a part. Those of a slice such as ``[0:2]`` are numbers."""
    return [] if node["type"] == "slice" else list(node.get("children", ()))


def _growth(node: Mapping[str, Any]) -> int:
    children = [_growth(one) for one in _children(node)]
    kind = node["type"]
    if kind in ("multi_select_list", "multi_select_dict", "function_expression"):
        return max(sum(children), 1)
    if kind in ("subexpression", "pipe", "projection", "index_expression", "value_projection"):
        grown = 1
        for one in children:
            grown *= one
        return grown
    if kind == "filter_projection":
        return children[0] * children[1]
    return max(children, default=1)


def _names_of(node: Mapping[str, Any]) -> tuple[str, ...] | None:
    if node["type"] == "current":
        return ()
    if node["type"] == "field":
        return (node["value"],)
    if node["type"] != "subexpression":
        return None
    parts = [_names_of(one) for one in node["children"]]
    if any(not part for part in parts):
        return None
    return tuple(name for part in parts if part for name in part)


def _lists_in(node: Mapping[str, Any]) -> list[tuple[str, ...]]:
    names = _names_of(node)
    if names is not None:
        return [names]
    if node["type"] in ("projection", "filter_projection", "flatten"):
        return _lists_in(node["children"][0])
    if node["type"] == "or_expression":
        return [names for one in node["children"] for names in _lists_in(one)]
    return []


def _by_names(names: tuple[str, ...]) -> Read:
    """Reads a plain path with the same result as JMESPath, but without its tree."""
    if len(names) == 1:
        (name,) = names
        return lambda payload: payload.get(name) if isinstance(payload, dict) else None

    def read(payload: Any) -> Any:
        found = payload
        for name in names:
            if not isinstance(found, dict):
                return None
            found = found.get(name)
        return found

    return read


def _plainly(node: Mapping[str, Any]) -> Read | None:
    """Reads common expressions (paths, texts, alternatives and joined texts) without JMESPath's
    tree, which takes ten times as long. None for all others."""
    names = _names_of(node)
    if names is not None:
        return _by_names(names) if names else lambda payload: payload
    if node["type"] == "literal":
        value = node["value"]
        return lambda _payload: value
    if node["type"] in ("or_expression", "and_expression"):
        first, second = (_plainly(one) for one in node["children"])
        if first is None or second is None:
            return None
        return _either(first, second, goes_on=node["type"] == "and_expression")
    return _joined(node)


def _either(first: Read, second: Read, *, goes_on: bool) -> Read:
    def read(payload: Any) -> Any:
        found = first(payload)
        return second(payload) if _is_true(found) is goes_on else found

    return read


def _is_true(value: Any) -> bool:
    # As in JMESPath, the number 0 is true as well.
    return not (value is None or value is False or value in ("", [], {}))


def _joined(node: Mapping[str, Any]) -> Read | None:
    """``join(' ', [a, b.c][?@])``: joins the texts that exist."""
    children = node.get("children", ())
    if node.get("value") != "join" or len(children) != 2 or children[0]["type"] != "literal":
        return None
    glue, chosen = children[0]["value"], children[1]
    if chosen["type"] != "filter_projection" or not isinstance(glue, str):
        return None
    several, each, condition = chosen["children"]
    are_all = each["type"] == "identity" and condition["type"] == "current"
    if several["type"] != "multi_select_list" or not are_all:
        return None
    readers = [_plainly(one) for one in several["children"]]
    known = [one for one in readers if one is not None]
    if len(known) < len(readers):
        return None

    def read(payload: Any) -> Any:
        if payload is None:
            raise Unfit("join")
        found = [one for reader in known if _is_true(one := reader(payload))]
        if not all(isinstance(one, str) for one in found):
            raise Unfit("join")
        return glue.join(found)

    return read


def _collect(node: Mapping[str, Any], above: tuple[str, ...], found: set[tuple[str, ...]]) -> None:
    names = _names_of(node)
    if names is not None:
        found.add((*above, *names))
        return
    children = _children(node)
    if node["type"] in ("subexpression", "pipe", "projection", "filter_projection") and children:
        start = _names_of(children[0])
        _collect(children[0], above, found)
        for one in children[1:]:
            _collect(one, (*above, *start) if start is not None else above, found)
        return
    for one in children:
        _collect(one, above, found)
