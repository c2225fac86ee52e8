"""The lists that exports are made of, and how their rows are read: as the lists themselves do."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from heapq import merge
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from milepost.api.app import Api
from milepost.api.batch_schema import OrderFilter
from milepost.api.dependencies import Services
from milepost.api.list_export import ROWS_OF_A_PAGE
from milepost.api.listed_order_schema import listed_view
from milepost.api.listings import LISTINGS
from milepost.api.problems import Fault, Problem
from milepost.api.routes.order_lists import outlooks_of, wanted_orders
from milepost.common.status import Status
from milepost.exports.column_reading import ListColumns, Row
from milepost.exports.export import CannotExport, Export, Query
from milepost.forecasts.listed_orders import UNKNOWN
from milepost.orders.lifecycle import OPEN_BY_PROGRESS
from milepost.queries.list_choices import Sort
from milepost.queries.order_list import Place, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable

LISTS: Final = ("orders", "notices", "suppressions", "activity")
"""Lists that may be long; the others are files at once, or page by page."""
NOT_IN_EXPORTS: Final = frozenset({"limit", "cursor", "columns", "bom", "fields", "count"})
"""Parameters of a list that an export has no use for, or has fields of its own for."""
_STATUSES_AT_ONCE: Final = 4
"""Statuses of which pages are read side by side; each page itself makes eight requests at once."""
_OURS: Final = 500
"""From this status on, the error is not the request's."""
_SEVERAL: Final = frozenset({"status", "connection"})


def columns_of(list_name: str) -> ListColumns:
    """The columns of a list."""
    return LISTINGS[f"/{list_name}"].columns


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRows:
    """Implements ``export.Rows``.

    Orders by their next date are read status by status, side by side, and merged as the list merges
    them. Every other list is read page by page from its route.
    """

    services: Services
    open_api: "Callable[[Services], Api]"
    """The API on top of these services."""

    def read(self, export: Export) -> Iterator[Sequence[Row]]:
        services = services_of(export, self.services)
        if export.list_name == "orders" and _is_by_date(export.query):
            yield from _orders(services, export)
            return
        api, parameters = self.open_api(services), dict(export.query)
        while True:
            try:
                page = ask_list(
                    api,
                    export.list_name,
                    parameters,
                    person=export.person,
                    subject=export.subject,
                )
            except Problem as problem:
                if problem.status >= _OURS:
                    raise
                # A connection may have been removed since.
                raise CannotExport(problem.detail.rstrip(".")) from None
            yield page[LISTINGS[f"/{export.list_name}"].rows]
            if page.get("next") is None:
                return
            parameters["cursor"] = [page["next"]]


def _api(request: Request) -> Api:
    api: Api = request.context["api"]
    return api


ThisApi = Annotated[Api, Depends(_api)]
"""The API that answers the request: a route asks it for a list."""


def _is_by_date(query: Query) -> bool:
    return "q" not in query and query.get("sort", [Sort.NEXT_DATE]) == [Sort.NEXT_DATE]


def services_of(export: Export, services: Services) -> Services:
    """The services as the role of whoever made the export sees them, with large pages."""
    if export.narrowed_to is not None:
        # Few roles are limited to connections.
        from milepost.api.narrowed_roles import narrowed  # noqa: PLC0415 - see above

        services = narrowed(services, export.narrowed_to)
    return replace(services, rows_in_page=ROWS_OF_A_PAGE, clock=lambda: export.created_at)


def ask_list(
    api: Api, list_name: str, parameters: Query, *, person: str, subject: str
) -> Mapping[str, Any]:
    """A page of a list, as its route answers.

    :raises Problem: as the route raises it: an unknown filter, a list that the role doesn't see
    """
    query = {name: ",".join(values) for name, values in parameters.items()}
    path = f"/{list_name}"
    claims = {"sub": subject, "username": person, "cognito:groups": ["viewer"]}
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": urlencode(query),
        "queryStringParameters": query,
        "headers": {"accept": "application/json"},
        "requestContext": {
            "http": {"method": "GET", "path": path},
            "authorizer": {"jwt": {"claims": claims}},
        },
        "isBase64Encoded": False,
    }
    answer = api.answer(event, None)
    said: dict[str, Any] = json.loads(answer["body"])
    if answer["statusCode"] != 200:
        faults = [Fault(**one) for one in said.get("errors") or ()]
        raise Problem(answer["statusCode"], said["detail"], errors=faults)
    return said


def _orders(services: Services, export: Export) -> Iterator[list[Row]]:
    """The rows of a list of orders by their next date."""
    said = {name: list(v) if name in _SEVERAL else v[0] for name, v in export.query.items()}
    said.pop("sort", None)
    asked = OrderFilter.model_validate(said)
    filters = {name: getattr(asked, name) for name in OrderFilter.model_fields}
    try:
        wanted = wanted_orders(services, **filters)
    except Problem as problem:
        raise CannotExport(problem.detail.rstrip(".")) from None
    statuses = [one for one in Status if one in set(wanted.statuses or OPEN_BY_PROGRESS)]
    with ThreadPoolExecutor(_STATUSES_AT_ONCE) as readers:
        streams = [_Stream(services, wanted, one, readers).rows() for one in statuses]
        some: list[Row] = []
        for _, row in merge(*streams, key=lambda one: one[0]):
            some.append(row)
            if len(some) == ROWS_OF_A_PAGE:
                yield some
                some = []
        yield some


@dataclass(frozen=True, slots=True)
class _Stream:
    """The orders of one status, in the list's order. While a page is written, the next is read."""

    services: Services
    wanted: Wanted
    status: Status
    readers: ThreadPoolExecutor

    def rows(self) -> Iterator[tuple[tuple[str, str], Row]]:
        """Rows, each with its place in the list: by date, then by the name of the shard, which
        begins with the status."""
        following: Future[tuple[list[Row], Place | None]] | None = self._start(None)
        while following is not None:
            rows, last = following.result()
            following = None if last is None else self._start(last)
            for row in rows:
                yield (row["next_date"], f"{self.status}#"), row

    def _start(self, after: Place | None) -> "Future[tuple[list[Row], Place | None]]":
        return self.readers.submit(self._page, after)

    def _page(self, after: Place | None) -> tuple[list[Row], Place | None]:
        wanted = replace(self.wanted, statuses=(self.status,))
        page = self.services.finder.page(
            wanted, sort=Sort.NEXT_DATE, after=after, limit=ROWS_OF_A_PAGE
        )
        known = outlooks_of(self.services, page.orders)
        views = [listed_view(one, known.get(one.key, UNKNOWN)) for one in page.orders]
        return [one.model_dump(mode="json") for one in views], page.last
