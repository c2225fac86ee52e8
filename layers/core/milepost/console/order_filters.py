"""The filters of an order list, as they stand in the address."""

from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from typing import Any, Final, TypeVar

from milepost.api.problems import Problem
from milepost.common.status import Status
from milepost.console.request import Values
from milepost.queries.order_list import Due

_Member = TypeVar("_Member", bound=StrEnum)
NAMES: Final = (
    "status",
    "connection",
    "provider",
    "raw_status",
    "service_type",
    "attention",
    "waiting",
    "customer",
    "product",
    "place",
    "due",
    "from",
    "to",
    "q",
)
"""Every filter, by its name in the address: the same as the API's."""


def read_filters(query: Values) -> dict[str, Any]:
    """What ``list_orders`` of the API takes.

    :raises Problem: 422 for a value that there is not
    """
    return {
        "status": [_member(Status, one, "status") for one in query.all("status")] or None,
        "connection": query.all("connection") or None,
        "provider": query.one("provider") or None,
        "raw_status": query.one("raw_status") or None,
        "service_type": query.one("service_type") or None,
        "attention": query.one("attention") or None,
        "waiting": query.one("waiting") or None,
        "customer": query.one("customer") or None,
        "product": query.one("product") or None,
        "place": query.one("place") or None,
        "due": _optional(query, "due", lambda text: _member(Due, text, "due")),
        "first_day": _optional(query, "from", _day),
        "last_day": _optional(query, "to", _day),
        "q": query.one("q") or None,
    }


def set_filters(query: Values) -> Mapping[str, list[str]]:
    """The filters that are set, for people."""
    return {name: query.all(name) for name in NAMES if query.all(name)}


def _optional(query: Values, name: str, read: Callable[[str], Any]) -> Any:
    text = query.one(name)
    return read(text) if text else None


def _member(kind: type[_Member], text: str, name: str) -> _Member:
    try:
        return kind(text)
    except ValueError:
        known = ", ".join(kind)
        raise Problem(422, f"There is no {name} {text}; there are: {known}.") from None


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Problem(422, f"{text} is no day: write it like 2026-03-01.") from None
    if not 2000 <= day.year < 3000:
        raise Problem(422, "The year is from 2000 to 2999.")
    return day
