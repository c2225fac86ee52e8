"""Pagination of a provider's order list, as its file declares it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from milepost.common.timestamps import format_instant
from milepost.connections.connection import Connection
from milepost.providers.base import BrokenPage, Json, Page, PageRequest
from milepost.providers.declared.expressions import Unfit, compile_expression, names_in
from milepost.providers.declared.file_format import OrderList
from milepost.providers.declared.file_orders import IN_TEXT, Times
from milepost.providers.declared.file_parts import (
    CursorPages,
    LinkPages,
    NumberedPages,
    OffsetPages,
    Since,
    UrlPages,
)
from milepost.providers.declared.values import TimeReader
from milepost.providers.http import origin

_LONGEST_CURSOR: Final = 2_000
_MOST: Final = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Pager:
    """Walks through the pages of a list.

    ``secret_parameter`` is a query parameter that a next URL may repeat, and that must not be
    stored.
    """

    spec: OrderList
    base_url: str
    times: TimeReader
    changed_at: str | None
    """The expression for an order's last change."""
    secret_parameter: str | None = None

    @property
    def orders_path(self) -> tuple[str, ...]:
        return names_in(self.spec.items) or ()

    def first(self, connection: Connection, *, changed_since: datetime | None) -> PageRequest:
        spec = self.spec
        query = dict(spec.query)
        if spec.page_size:
            size = min(connection.page_size, spec.page_size.most)
            query[spec.page_size.parameter] = str(size)
        if isinstance(spec.pages, NumberedPages):
            query[spec.pages.parameter] = str(spec.pages.first)
        if isinstance(spec.pages, OffsetPages):
            query[spec.pages.parameter] = "0"
        if spec.since and changed_since:
            query[spec.since.parameter] = _since_text(spec.since, changed_since, self.times)
        return PageRequest(spec.path, query)

    def read(self, body: Any, *, request: PageRequest) -> Page:
        """:raises BrokenPage: when it isn't a page, or its next page can't be determined"""
        orders = self._orders(body)
        return Page(
            orders=orders,
            next=self._next(body, orders, request),
            newest_change=self._newest_change(orders),
        )

    def _orders(self, body: Any) -> list[Json]:
        found = body
        for name in self.orders_path:
            found = found.get(name) if isinstance(found, Mapping) else None
        if not isinstance(found, list):
            raise BrokenPage(f"the page has no list of orders ({self.spec.items})")
        return found

    def _next(self, body: Any, orders: list[Json], request: PageRequest) -> PageRequest | None:
        pages = self.spec.pages
        match pages:
            case NumberedPages():
                number = _number(request, pages.parameter, pages.first)
                known = _whole(pages.pages, body)
                left = None if known is None else known - 1 + pages.first - number
                goes_on = _goes_on(orders, left=left, has_more=_has_more(pages.has_more, body))
                return _at_place(request, pages, number + 1) if goes_on else None
            case OffsetPages():
                offset = _number(request, pages.parameter, 0) + len(orders)
                total = _whole(pages.total, body)
                left = None if total is None else total - offset
                goes_on = _goes_on(orders, left=left, has_more=_has_more(pages.has_more, body))
                return _at_place(request, pages, offset) if goes_on else None
            case CursorPages():
                return self._by_cursor(body, request, pages)
            case UrlPages():
                url = _find(pages.next, body)
                return None if url in (None, "", False) else self._at(url, request)
            case LinkPages():
                return self._at(request.link, request) if request.link else None
        return None

    def _by_cursor(self, body: Any, request: PageRequest, pages: CursorPages) -> PageRequest | None:
        has_more = _has_more(pages.has_more, body)
        if has_more is False:
            return None
        cursor = _find(pages.next, body)
        if cursor in (None, "", False):
            if has_more:
                raise BrokenPage("the page says that there are more, but not where (next)")
            return None
        if isinstance(cursor, int) and not isinstance(cursor, bool):
            cursor = str(cursor)
        if not isinstance(cursor, str) or len(cursor) > _LONGEST_CURSOR:
            raise BrokenPage("the page's cursor is no text that could be sent back")
        return replace(request, query={**request.query, pages.parameter: cursor}, link=None)

    def _at(self, url: Any, request: PageRequest) -> PageRequest:
        """The page at a URL from the provider, which has to be on the connection's host, below its
        base path.

        :raises BrokenPage: when it leads elsewhere
        """
        base = self.base_url.rstrip("/")
        if not isinstance(url, str) or len(url) > _LONGEST_CURSOR or not url.isprintable():
            raise BrokenPage("the next page's URL is no text")
        try:
            whole = urljoin(base + request.path, url)
            parts, home = urlsplit(whole), urlsplit(base)
            is_ours = origin(whole) == origin(base) and "@" not in parts.netloc
        except ValueError:
            raise BrokenPage("the next page's URL can't be read") from None
        path = parts.path[len(home.path) :]
        if not is_ours or not parts.path.startswith(home.path) or not path.startswith("/"):
            raise BrokenPage("the next page's URL leads away from base_url: it isn't followed")
        said = parse_qsl(parts.query, keep_blank_values=True)
        kept = urlencode([one for one in said if one[0] != self.secret_parameter])
        return PageRequest(f"{path}?{kept}" if kept else path)

    def _newest_change(self, orders: list[Json]) -> datetime | None:
        if self.changed_at is None:
            return None
        read, newest = compile_expression(self.changed_at), None
        seen: set[Any] = set()
        for order in orders:
            try:
                value = read(order)
                if not isinstance(value, str | int | float) or value in seen:
                    continue
                seen.add(value)
                moment = self.times.instant(value)
            except (Unfit, ValueError, ArithmeticError):
                continue
            newest = max(filter(None, (newest, moment)), default=None)
        return newest


def declared_pager(said: Mapping[str, Any], *, changed_at: str) -> Pager:
    """The pager of an adapter with code: its list is described as in a file; its times have a time
    zone, and its next page is not a URL."""
    return Pager(
        spec=OrderList.model_validate(said),
        base_url="",
        times=TimeReader(Times.model_validate({"zone": IN_TEXT})),
        changed_at=changed_at,
    )


def _at_place(
    request: PageRequest, pages: NumberedPages | OffsetPages, place: int
) -> PageRequest | None:
    if place > _MOST:
        return None
    return replace(request, query={**request.query, pages.parameter: str(place)}, link=None)


def _since_text(since: Since, moment: datetime, times: TimeReader) -> str:
    match since.format:
        case "iso":
            said = format_instant(moment)
        case "unix":
            said = str(int(moment.timestamp()))
        case "unix_milliseconds":
            said = str(int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1)))
        case pattern:
            said = moment.astimezone(times.zone).strftime(pattern)
    return since.value.replace("{since}", said)


def _find(expression: str, body: Any) -> Any:
    try:
        return compile_expression(expression)(body)
    except Unfit:
        raise BrokenPage("the expression of the next page doesn't fit this answer") from None


def _number(request: PageRequest, parameter: str, otherwise: int) -> int:
    try:
        return int(request.query[parameter])
    except (KeyError, ValueError):
        return otherwise


def _goes_on(orders: list[Json], *, left: int | None, has_more: bool | None) -> bool:
    """Whether a page that is requested by its position follows this one.

    A count that is too low for this page is not believed: the list ends with an empty page.

    :param left: how many pages or orders follow by the provider's count; None if it gives none
    :raises BrokenPage: when there is nothing on the page and still more to come
    """
    if not orders and has_more is not False and (has_more or (left or 0) > 0):
        raise BrokenPage("an empty page says that there are more")
    return bool(orders) and has_more is not False and left != 0


def _whole(expression: str | None, body: Any) -> int | None:
    if expression is None:
        return None
    found = _find(expression, body)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 10:
        return int(found)
    is_number = isinstance(found, int | Decimal) and not isinstance(found, bool)
    if not is_number or not 0 <= found < _MOST or found != int(found):
        raise BrokenPage("the page doesn't say how many there are")
    return int(found)


def _has_more(expression: str | None, body: Any) -> bool | None:
    if expression is None:
        return None
    found = _find(expression, body)
    if not isinstance(found, bool):
        raise BrokenPage("the page doesn't say whether there are more (has_more)")
    return found
