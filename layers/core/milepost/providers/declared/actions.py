"""Actions of a declared provider."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from milepost.common.status import Status, normal_form
from milepost.orders.order import Order as TrackedOrder
from milepost.providers.base import BadArgument, Call, Json, ProviderAction, say_done
from milepost.providers.declared.expressions import Unfit, compile_expression
from milepost.providers.declared.file_format import Action
from milepost.providers.declared.file_parts import places_in
from milepost.providers.envelopes import one_segment
from milepost.providers.payload_types import LONE_SURROGATE, trim_text

_MOST_WORDS: Final = 300


def actions_of(said: Mapping[str, Action]) -> dict[str, ProviderAction]:
    """The actions of a file, by name."""
    return {
        name: ProviderAction(
            statuses=frozenset(Status(one) for one in action.statuses),
            make_call=_caller(action),
            read_outcome=_outcome(action.outcome),
            arguments=frozenset(action.arguments),
            raw_statuses=(
                frozenset(normal_form(one) for one in action.words) if action.words else None
            ),
            is_final=action.is_final,
        )
        for name, action in said.items()
    }


def _caller(action: Action) -> Callable[[TrackedOrder, Json], Call]:
    needed = {place for text in _texts(action.body) for place in places_in(text)}

    def make(order: TrackedOrder, arguments: Json) -> Call:
        given = {name: str(one) for name, one in arguments.items() if one is not None}
        for name in sorted(needed & set(action.arguments)):
            if not given.get(name, "").strip():
                raise BadArgument(f"{name} is missing: give one")
        ids = {"order_id": order.key.order_id, "item_id": order.key.item_id}
        path = _filled(action.path, {name: one_segment(one) for name, one in ids.items()})
        body = None if action.body is None else _fill(action.body, {**given, **ids})
        return Call(method=action.method, path=path, body=body)

    return make


def _outcome(expression: str | None) -> Callable[[Json], str]:
    if expression is None:
        return say_done
    read = compile_expression(expression)

    def say(body: Json) -> str:
        return words(read, body) or "done"

    return say


def words(read: Callable[[Any], Any], body: Any) -> str | None:
    """The text that an expression finds in a response, short enough to be shown."""
    try:
        found = read(body)
    except Unfit:
        return None
    if not isinstance(found, str):
        return None
    trimmed = trim_text(LONE_SURROGATE.sub("", found))
    return trimmed[:_MOST_WORDS] if trimmed else None


def _fill(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _filled(value, values)
    if isinstance(value, dict):
        return {name: _fill(one, values) for name, one in value.items()}
    return [_fill(one, values) for one in value] if isinstance(value, list) else value


def _filled(text: str, values: Mapping[str, str]) -> str:
    parts = []
    rest = text
    for place in places_in(text):
        before, _, rest = rest.partition(f"{{{place}}}")
        parts += [before, values.get(place, "")]
    return "".join([*parts, rest])


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts(one)]
