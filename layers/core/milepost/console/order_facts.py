"""The facts of an order, in groups."""

from collections.abc import Mapping
from typing import Any, Final

from milepost.console.labels import label
from milepost.console.order_timeline import text_of

_GROUPS: Final = (
    ("Customer", ("customer", "address", "account_number")),
    ("Product", ("offer", "service_type", "track", "yearly_consumption", "previous_consumption")),
    ("Dates", ("ordered_at", "signed_at", "appointment", "fulfilment_at", "delivery_start")),
    ("Payment", ("payment", "invoices", "commission")),
    ("Identifiers", ("reference", "meter_number", "malo", "melo", "spn", "charge_box")),
)
_SPREAD: Final = ("customer", "offer", "payment", "commission", "charge_box")
"""Facts of several parts, each of which has its own line."""
_TIMES: Final = frozenset(
    {"ordered_at", "signed_at", "appointment", "fulfilment_at", "delivery_start", "delivery_end"}
)
_PLACE: Final = ("street", "unit", "postcode", "city", "region", "country")

Line = tuple[str, str, bool]
"""A name, its value, and whether the value is a time."""


def grouped_facts(details: Mapping[str, Any]) -> list[tuple[str, list[Line]]]:
    """Every fact once: groups that have facts first, then the other facts."""
    grouped = {name for _, names in _GROUPS for name in names}
    others = [name for name in details if name not in grouped]
    groups = [*_GROUPS, ("More", tuple(others))]
    found = [
        (title, [line for name in names if name in details for line in _lines(name, details[name])])
        for title, names in groups
    ]
    return [(title, lines) for title, lines in found if lines]


def _lines(name: str, value: Any) -> list[Line]:
    if name == "address" and isinstance(value, Mapping):
        parts = [text_of(value[part]) for part in _PLACE if value.get(part)]
        return [("Address", ", ".join(parts), False)] if parts else []
    if name in _SPREAD and isinstance(value, Mapping):
        prefix = "" if name == "customer" else f"{label(name)}: "
        return [
            (label(f"{prefix}{part}"), text, False)
            for part, one in value.items()
            if (text := text_of(one))
        ]
    text = text_of(value)
    return [(label(name), text, name in _TIMES)] if text else []
