"""Filters that several routes share, and checks of their values.

An unknown value is an error, instead of an empty list.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from milepost.api.dependencies import Services
from milepost.api.months import Month
from milepost.api.problems import Fault, Problem
from milepost.common.status import Status, is_same_word
from milepost.connections.connection import Connection, UnusableConnection
from milepost.orders.attention import CODES
from milepost.orders.customer_waits import DEFAULT_WAIT_DAYS
from milepost.providers.registry import UnknownProvider, adapter_of, name_of
from milepost.queries.order_list import ANY_ATTENTION, ANY_WAIT, Wanted
from milepost.queries.service_types import unknown_service_types

Text = Annotated[str, Field(min_length=1, max_length=200)]
ConnectionFilter = Annotated[list[Text] | None, Query(description="One or several.")]
FirstMonth = Annotated[
    Month | None, Query(alias="from", description="First month (UTC), such as 2026-03.")
]
LastMonth = Annotated[
    Month | None, Query(alias="to", description="Last month; the present one if absent.")
]


def check_connections(names: Iterable[str] | None, services: Services) -> None:
    """Check that each name is a connection, or was one that has orders.

    :raises Problem: 422, with the existing connections
    """
    known = services.connections.all()
    for name in names or ():
        if name not in known and not services.figures.counts([name]).get(name):
            raise unknown("connection", name, known)


def check_provider(name: str | None, services: Services) -> None:
    """Check that there is a connection at this provider.

    :raises Problem: 422, with the existing providers
    """
    known = {one.provider for one in services.connections.all().values()}
    if name is not None and name not in known:
        raise unknown("provider", name, known)


def check_words(wanted: Wanted, services: Services) -> None:
    """Check the filters of an order list that found nothing: reasons for attention, service type
    and raw status. Documented values need no read, others do, so call it only if nothing was found.

    :raises Problem: 422, with what there is
    """
    code = wanted.attention
    if code is not None and code not in (ANY_ATTENTION, *CODES):
        raise unknown("attention", code, CODES)
    _check_service_type_of_orders(wanted, services)
    _check_raw_status(wanted, services)


def check_service_type(name: str | None, services: Services) -> None:
    """Check that orders can have this service type. It needs some reads: call it if nothing was
    found.

    :raises Problem: 422, with the service types that are documented, set, or were used within a
        year
    """
    if name is None:
        return
    not_known, known = unknown_service_types(
        [name],
        services.connections.all(),
        figures=services.figures,
        today=services.clock().date(),
    )
    # Lists take the very word.
    if not_known or name not in known:
        raise unknown("service_type", name, known)


def _check_service_type_of_orders(wanted: Wanted, services: Services) -> None:
    try:
        check_service_type(wanted.service_type, services)
    except Problem:
        # The figures don't have open orders that are in their first stage.
        if not _may_be_of_orders(
            Wanted(**_any(wanted), service_type=wanted.service_type), services
        ):
            raise


def _any(wanted: Wanted) -> dict[str, Any]:
    """The arguments of a list of any status, at the same connections."""
    return {
        "asked_at": wanted.asked_at,
        "statuses": tuple(Status),
        "connections": wanted.connections,
        "provider": wanted.provider,
    }


def _may_be_of_orders(wanted: Wanted, services: Services) -> bool:
    """Whether a list has orders, or may have some: that is unknown if there are more orders than
    one page examines."""
    page = services.finder.page(wanted, limit=1)
    return bool(page.orders) or page.last is not None


def _check_raw_status(wanted: Wanted, services: Services) -> None:
    """Check that orders of the wanted connections can have this raw status.

    A raw status is known if the provider documents it, if the connection's settings name it, or if
    an order of any status has it now. Providers send words that they don't document.

    :raises Problem: 422, with the raw statuses that are documented, by provider
    """
    raw_status = wanted.raw_status
    if raw_status is None:
        return
    asked = {
        name: one
        for name, one in services.connections.all().items()
        if (not wanted.connections or name in wanted.connections)
        and wanted.provider in (None, one.provider)
    }
    known = _raw_statuses(asked.values())
    if any(is_same_word(word, raw_status) for words in known.values() for word in words):
        return
    if _may_be_of_orders(Wanted(**_any(wanted), raw_status=raw_status), services):
        return
    listed = "; ".join(f"{name_of(one)}: {', '.join(words)}" for one, words in known.items())
    said = f"no order has the raw status {raw_status}; those of the providers are: {listed}"
    what = f"{said[0].upper()}{said[1:]}."
    raise Problem(422, what, errors=[Fault(where="query.raw_status", what=said)])


def _raw_statuses(connections: Iterable[Connection]) -> Mapping[str, Sequence[str]]:
    """The raw statuses of each provider, as it documents them, then those of settings."""
    words: dict[str, dict[str, None]] = {}
    for one in connections:
        own = words.setdefault(one.provider, {})
        # Without an adapter or a usable file there are no documented words.
        with suppress(UnknownProvider, UnusableConnection):
            own |= dict.fromkeys(adapter_of(one).statuses)
        own |= dict.fromkeys(one.statuses)
    return {provider: [*words[provider]] for provider in sorted(words)}


def check_waiting(what: str | None) -> None:
    """Check that orders can wait for this, or that it is ``any``.

    :raises Problem: 422, with what they can wait for
    """
    known = {ANY_WAIT, *DEFAULT_WAIT_DAYS}
    if what is not None and what not in known:
        raise unknown("waiting", what, known)


def within_body(problem: Problem, place: str) -> Problem:
    """The same problem for filters that are part of a request's body.

    :param place: where they are, such as ``body.filter``
    """
    faults = [
        Fault(where=one.where.replace("query.", f"{place}.", 1), what=one.what)
        for one in problem.errors
    ]
    return Problem(problem.status, problem.detail, errors=faults)


def unknown(what: str, value: str, known: Iterable[str]) -> Problem:
    """The problem for an unknown value of a filter.

    :param what: the filter's name
    :param known: the valid values
    """
    listed = ", ".join(sorted(known)) or "none"
    said = f"there is no {what.replace('_', ' ')} {value}; there are: {listed}"
    return Problem(
        422, f"{said[0].upper()}{said[1:]}.", errors=[Fault(where=f"query.{what}", what=said)]
    )
