"""Drafts a provider's file from a captured list, with what can be derived and what is missing."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from milepost.common.timestamps import NotATime, read_iso

_IDS: Final = ("id", "order_id", "orderId", "number", "uuid")
_WORDS: Final = ("status", "state", "order_status", "orderStatus", "stage")
_CHANGES: Final = (
    "updated_at",
    "updatedAt",
    "modified_at",
    "changed_at",
    "date_modified",
    "changed",
)
_FACTS: Final[Mapping[str, tuple[str, ...]]] = {
    "reference": ("reference", "order_number", "orderNumber", "number", "name"),
    "ordered_at": ("created_at", "createdAt", "date_created", "ordered_at"),
    "appointment": ("appointment", "scheduled_for", "scheduledFor", "scheduled_at"),
    "reason": ("reason", "cancel_reason", "cancellation_reason"),
}
_ATTRIBUTES: Final = "attributes"
_MOST_WORDS: Final = 50


class NoOrders(ValueError):
    """The captured response has no list of orders."""


def propose(name: str, answer: Any) -> dict[str, Any]:
    """The content of a file. Every status word is mapped to ``pending`` and has to be corrected.

    :raises NoOrders: when no list of objects is found
    """
    path, orders = _find_orders(answer)
    first = orders[0]
    word = _named(first, _WORDS) or "status"
    changed = _named(first, _CHANGES)
    found_words = [_at(one, word) for one in orders]
    words = dict.fromkeys(one for one in found_words if isinstance(one, str))
    facts = {fact: found for fact, names in _FACTS.items() if (found := _named(first, names))}
    order: dict[str, Any] = {"id": _named(first, _IDS) or "id", "status": word}
    order |= {"changed_at": changed} if changed else {}
    order |= {"facts": facts} if facts else {}
    return {
        "version": 1,
        "name": name,
        "base_url": f"https://api.{name}.example",
        "sign_in": {"kind": "bearer"},
        "list": {"path": "/orders", "items": path, "pages": {"kind": "none"}},
        "one_order": {"path": "/orders/{order_id}"},
        "times": {"zone": "in_text" if _names_zones(orders, changed) else "UTC"},
        "order": order,
        "statuses": {"map": dict.fromkeys(list(words)[:_MOST_WORDS], "pending")
                     or {"pending": "pending"}},
    }  # fmt: skip


def _find_orders(answer: Any, path: str = "") -> tuple[str, list[dict[str, Any]]]:
    found = list(_lists(answer, path))
    if not found:
        raise NoOrders
    return max(found, key=lambda one: len(one[1]))


def _lists(value: Any, path: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    if isinstance(value, list):
        orders = [one for one in value if isinstance(one, dict)]
        if orders:
            yield path or "@", orders
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name.isidentifier():
                yield from _lists(inner, f"{path}.{name}" if path else name)


def _named(order: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    """The path of the first of these names that has a value, or of one in ``attributes``
    (JSON:API).
    """
    paths = (*names, *(f"{_ATTRIBUTES}.{one}" for one in names))
    return next((one for one in paths if _at(order, one) not in (None, "", [], {})), None)


def _at(order: Mapping[str, Any], path: str) -> Any:
    value: Any = order
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _names_zones(orders: list[dict[str, Any]], changed: str | None) -> bool:
    text = _at(orders[0], changed) if changed else None
    try:
        return not isinstance(text, str) or read_iso(text).tzinfo is not None
    except NotATime:
        return False
