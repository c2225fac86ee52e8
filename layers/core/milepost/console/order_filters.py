"""The filters of an order list, as query parameters."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any, Final, TypeVar

from milepost.api.problems import Problem
from milepost.common.errors import BadPayload
from milepost.common.status import Status
from milepost.common.timestamps import format_instant, parse_instant
from milepost.console.order_columns import USUAL
from milepost.console.request import Values
from milepost.queries.list_choices import Due, Sort
from milepost.queries.saved_views import NOT_SAVED

_Member = TypeVar("_Member", bound=StrEnum)
NAMES: Final = (
    "status",
    "connection",
    "provider",
    "raw_status",
    "service_type",
    "attention",
    "waiting",
    "reference",
    "customer",
    "product",
    "place",
    "due",
    "from",
    "to",
    "updated_since",
    "q",
)
"""Every filter, by its name in the address: the same as the API's."""
MORE: Final = (
    "provider",
    "raw_status",
    "service_type",
    "waiting",
    "reference",
    "product",
    "due",
    "updated_since",
)
"""Filters below "More filters"."""
OF_THE_VIEW: Final = ("sort", "fields")
"""What a view stores besides filters: the sort order and the columns."""
_SEVERAL: Final = frozenset({"status", "connection"})
_DAY_LENGTH: Final = len("2026-03-01")


def read_filters(query: Values) -> dict[str, Any]:
    """The arguments of the API's ``list_orders``.

    :raises Problem: 422 for a value that does not exist
    """
    return {
        "status": [_member(Status, one, "status") for one in query.all("status")] or None,
        "connection": query.all("connection") or None,
        "provider": query.one("provider") or None,
        "raw_status": query.one("raw_status") or None,
        "service_type": query.one("service_type") or None,
        "attention": query.one("attention") or None,
        "waiting": query.one("waiting") or None,
        "reference": query.one("reference") or None,
        "customer": query.one("customer") or None,
        "product": query.one("product") or None,
        "place": query.one("place") or None,
        "due": _optional(query, "due", lambda text: _member(Due, text, "due")),
        "first_day": _optional(query, "from", _day),
        "last_day": _optional(query, "to", _day),
        "updated_since": _optional(query, "updated_since", _instant),
        "q": query.one("q") or None,
    }


def read_sort(query: Values) -> Sort:
    """The sort order of the list.

    :raises Problem: 422 when this sort order is not possible
    """
    return _optional(query, "sort", lambda text: _member(Sort, text, "sort")) or Sort.NEXT_DATE


def filter_body(query: Values) -> dict[str, Any]:
    """The filters in the form of a batch's ``filter``.

    :raises Problem: 422 for a value that there is not
    """
    body: dict[str, Any] = {
        name: query.all(name) if name in _SEVERAL else query.one(name)
        for name in NAMES
        if query.all(name)
    }
    if since := _optional(query, "updated_since", _instant):
        body["updated_since"] = format_instant(since)
    return body


def view_filters(query: Values) -> dict[str, list[str]]:
    """The query parameters that a saved view stores, without any that may name a customer."""
    kept = (name for name in (*NAMES, *OF_THE_VIEW) if name not in NOT_SAVED)
    return {name: query.all(name) for name in kept if query.all(name)}


def view_query(filters: Mapping[str, Sequence[str]]) -> Values:
    """A saved view in the form of query parameters."""
    return Values([(name, value) for name, values in filters.items() for value in values])


def tidy(query: Values) -> Values:
    """The address without redundant parameters: empty fields, the usual sort order and columns."""
    said = query.filled()
    if said.one("sort") == Sort.NEXT_DATE:
        said = said.without("sort")
    if set(said.all("fields")) == set(USUAL):
        said = said.without("fields")
    return said


def is_same_list(one: Values, other: Values) -> bool:
    """Whether two addresses show the same list, whatever the order of their filters."""
    return _pairs(one) == _pairs(other)


def _pairs(query: Values) -> list[tuple[str, str]]:
    return sorted(tidy(query.without("cursor")).pairs)


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


def _instant(text: str) -> datetime:
    """An instant, or the beginning of a day (UTC)."""
    if len(text) == _DAY_LENGTH:
        return datetime.combine(_day(text), time(), UTC)
    try:
        return parse_instant(text)
    except BadPayload:
        raise Problem(422, f"{text} is not a day: write it like 2026-03-01.") from None


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Problem(422, f"{text} is not a day: write it like 2026-03-01.") from None
    if not 2000 <= day.year < 3000:
        raise Problem(422, "The year is from 2000 to 2999.")
    return day
