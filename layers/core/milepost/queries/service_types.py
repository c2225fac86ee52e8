"""Service types that are known: documented, in the settings, or of orders of the last year.

Providers may sell something new at any time, so another one isn't certain to be a mistake.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Final, Protocol

from milepost.common.status import normal_form
from milepost.connections.connection import Connection, UnusableConnection
from milepost.providers.registry import UnknownProvider, adapter_of
from milepost.queries.histogram import StageFigures

_A_YEAR: Final = 12


class Figures(Protocol):
    """Where the service types of past orders are looked up."""

    def stages(
        self, connection_ids: Iterable[str], *, months: Iterable[str]
    ) -> Sequence[StageFigures]: ...


def documented_service_types(connections: Iterable[Connection]) -> set[str]:
    """The service types that the connections' providers document, and those in the settings."""
    found: set[str] = set()
    for one in connections:
        # Without an adapter or a usable file nothing is documented.
        with suppress(UnknownProvider, UnusableConnection):
            found |= set(adapter_of(one).service_types)
        found |= {one.service_type} if one.service_type else set()
    return found


def unknown_service_types(
    words: Iterable[str],
    connections: Mapping[str, Connection],
    *,
    figures: Figures,
    today: date,
) -> tuple[list[str], list[str]]:
    """The words that no order is known to have, ignoring case and white space; and all known
    service types.

    The figures are read only for words that aren't documented: one query for each connection.
    """
    asked = {normal_form(one): one for one in words}
    known = documented_service_types(connections.values())
    if asked.keys() - set(map(normal_form, known)):
        counted = figures.stages(list(connections), months=_last_year(today))
        known |= {one.service_type for one in counted if one.service_type}
    unknown = asked.keys() - set(map(normal_form, known))
    return sorted(asked[one] for one in unknown), sorted(known)


def _last_year(today: date) -> list[str]:
    """The last twelve months, such as ``2026-03``."""
    last = today.year * 12 + today.month - 1
    months = (divmod(one, 12) for one in range(last - _A_YEAR + 1, last + 1))
    return [f"{year}-{month + 1:02}" for year, month in months]
