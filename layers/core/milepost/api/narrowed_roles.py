"""Limits services to the connections of the caller's role.

``Api.answer`` gives every route services that are limited by ``auth.allowed_connections``, so a
route needs no check of its own: data of other connections is not found. A service that isn't listed
here is closed to limited roles, so a new service can't disclose data by omission.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Final

from milepost.api.dependencies import Services
from milepost.api.narrowed_orders import (
    NarrowedActing,
    NarrowedBatches,
    NarrowedCurrentOrders,
    NarrowedFigures,
    NarrowedForecasts,
    NarrowedLists,
    NarrowedOrders,
    NarrowedSearch,
    NarrowedTrackingLinks,
    NarrowedViews,
)
from milepost.api.narrowed_service import Allowed, Closed
from milepost.api.narrowed_services import (
    NarrowedActivity,
    NarrowedConnections,
    NarrowedContacts,
    NarrowedExports,
    NarrowedNoticeLists,
    NarrowedNotices,
    NarrowedPolls,
    NarrowedQuarantine,
    NarrowedResender,
    NarrowedSigningSecrets,
    NarrowedSubscriptions,
    NarrowedWebhookTests,
)


def narrowed(services: Services, allowed: Allowed | None) -> Services:
    """The services, limited to these connections; None for all."""
    if allowed is None:
        return services
    return replace(services, **_narrow(services, _SERVICES, allowed), narrowed_to=allowed)


def _narrow(
    holder: Any, table: "Mapping[str, Callable[[Any, Allowed], Any]]", allowed: Allowed
) -> dict[str, Any]:
    narrowed_by_name: dict[str, Any] = {}
    for one in fields(holder):
        if one.name != "narrowed_to":
            narrow: Callable[[Any, Allowed], Any] = table.get(one.name, _closed)
            narrowed_by_name[one.name] = narrow(getattr(holder, one.name), allowed)
    return narrowed_by_name


def _as_it_is(service: Any, _allowed: Allowed) -> Any:
    return service


def _closed(_service: Any, _allowed: Allowed) -> Closed:
    return Closed()


def _opened(narrow: Callable[[Any, Allowed], Any]) -> Callable[[Any, Allowed], Any]:
    """The same for a service that is created at its first use."""
    return lambda open_it, allowed: lambda: narrow(open_it(), allowed)


def _operations(operations: Any, allowed: Allowed) -> Any:
    return replace(operations, **_narrow(operations, _OPERATIONS, allowed))


def _batches(planner: Any, allowed: Allowed) -> Any:
    return replace(
        planner,
        batches=NarrowedBatches(planner.batches, allowed),
        orders=NarrowedCurrentOrders(planner.orders, allowed),
        open_resender=lambda: NarrowedResender(planner.open_resender(), allowed),
    )


def _exports(desk: Any, allowed: Allowed) -> Any:
    return replace(desk, exports=NarrowedExports(desk.exports, allowed))


def _replay(replay: Any, allowed: Allowed) -> Any:
    return replace(replay, quarantine=NarrowedQuarantine(replay.quarantine, allowed))


_OPERATIONS: Final[Mapping[str, Callable[[Any, Allowed], Any]]] = {
    "quarantine": NarrowedQuarantine,
    "replay": _replay,
    "contacts": NarrowedContacts,
    "polls": NarrowedPolls,
    "subscriptions": NarrowedSubscriptions,
    "signing_secrets": NarrowedSigningSecrets,
    "webhook_tests": NarrowedWebhookTests,
    # Routes look up the subscription first.
    "endpoint_secrets": _as_it_is,
    "message_tests": _as_it_is,
    "allow_private_endpoints": _as_it_is,
    # Messages of every connection, addresses, and customers, who may belong to several connections.
    "dead_letters": _closed,
    "suppressions": _closed,
    "erasure": _closed,
}
_SERVICES: Final[Mapping[str, Callable[[Any, Allowed], Any]]] = {
    "orders": NarrowedOrders,
    "lists": NarrowedLists,
    "search": NarrowedSearch,
    "figures": NarrowedFigures,
    "forecasts": NarrowedForecasts,
    "notices": NarrowedNotices,
    "notice_lists": NarrowedNoticeLists,
    "connections": NarrowedConnections,
    "activity": NarrowedActivity,
    "views": NarrowedViews,
    "open_resender": _opened(NarrowedResender),
    "open_acting": _opened(NarrowedActing),
    "open_operations": _opened(_operations),
    "open_batches": _opened(_batches),
    "open_exports": _opened(_exports),
    "open_tracking_links": _opened(NarrowedTrackingLinks),
    # They have no connection.
    "cursor_keys": _as_it_is,
    "requests": _as_it_is,
    "clock": _as_it_is,
    "public_url": _as_it_is,
    "rows_in_page": _as_it_is,
}
