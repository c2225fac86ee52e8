"""Dependencies of routes: the services behind the API, and the caller.

Routes declare them by type: ``def show_order(..., services: Given, caller: Who)``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from milepost.activity.entry import Entry, Place, Wanted
from milepost.activity.recorder import Change, EntryWriter, Recorder
from milepost.api.auth import Caller
from milepost.api.pagination import CursorKeys
from milepost.common.idempotency import Requests
from milepost.common.status import Status
from milepost.connections.connection import Connection
from milepost.forecasts.scorecard import Scorecard
from milepost.forecasts.table import ForecastTable
from milepost.notifications.dispatch import Entered
from milepost.notifications.notice import NoticeId
from milepost.notifications.notice_list import NoticeLists
from milepost.notifications.recipients import Choice
from milepost.orders.order import OrderKey, TrackedOrder
from milepost.queries.cause_figures import AcceptanceFigures, OutcomeKey
from milepost.queries.histogram import StageFigures
from milepost.queries.order_finder import FoundOrders, OrderFinder
from milepost.queries.order_list import Lists
from milepost.queries.saved_views import SavedViews
from milepost.queries.search_words import Reading

if TYPE_CHECKING:
    from milepost.actions.batch_plan import BatchPlanner
    from milepost.actions.refresh import ActionContext
    from milepost.exports.start import ExportDesk
    from milepost.notifications.resend import Resender
    from milepost.operations.services import Operations
    from milepost.tracking_page.link import TrackingLinks


class ReadableOrders(Protocol):
    """Reads orders of every connection."""

    def read(self, key: OrderKey) -> TrackedOrder | None: ...
    def read_group(self, connection_id: str, order_id: str) -> Sequence[TrackedOrder]: ...


class Notices(Protocol):
    """The delivery log."""

    def of_order(self, key: OrderKey) -> Sequence[Mapping[str, Any]]: ...
    def find(self, identity: NoticeId) -> Mapping[str, Any] | None: ...
    def enter(self, choice: Choice, *, at: datetime) -> Entered: ...


class UnusableSettings(Protocol):
    """Why a connection's settings are invalid, and its provider if that is known."""

    @property
    def why(self) -> str: ...
    @property
    def provider(self) -> str | None: ...


class Connections(Protocol):
    """Settings of connections."""

    def get(self, connection_id: str) -> Connection:
        """:raises UnknownConnection: when there is none with this id
        :raises UnusableConnection: when its settings can't be used"""
        ...

    def all(self) -> Mapping[str, Connection]:
        """The connections with valid settings, by id."""
        ...

    def unusable(self) -> "Mapping[str, UnusableSettings]":
        """The connections with invalid settings, by id."""
        ...


class Acting(Protocol):
    """The dependencies of actions on an order."""

    def for_order(self, key: OrderKey) -> "ActionContext":
        """:raises UnknownConnection: if the order's connection was removed"""
        ...

    def forget_credentials(self) -> None: ...


class Search(Protocol):
    """Finds orders by references, customers and other terms."""

    def find_by_words(
        self, readings: Sequence[Reading], *, connections: Iterable[str]
    ) -> FoundOrders: ...
    def find_by_reference(self, text: str, *, connections: Iterable[str]) -> list[OrderKey]: ...
    def find_by_email(self, email: str) -> list[OrderKey]: ...

    def orders_of_customer(self, customer_id: str) -> list[OrderKey]:
        """All orders of a customer (``search_terms.customer_id_of``)."""
        ...


class Figures(Protocol):
    """Counts and stage durations."""

    def counts(self, connection_ids: Iterable[str]) -> Mapping[str, Mapping[Status, int]]: ...
    def stages(
        self, connection_ids: Iterable[str], *, months: Iterable[str]
    ) -> list[StageFigures]: ...
    def stages_by_raw_status(
        self, connection_ids: Iterable[str], *, months: Iterable[str]
    ) -> list[StageFigures]: ...
    def outcomes(
        self, connection_ids: Iterable[str], *, months: Iterable[str]
    ) -> Mapping[OutcomeKey, int]: ...
    def acceptances(
        self, connection_ids: Iterable[str], *, months: Iterable[str]
    ) -> list[AcceptanceFigures]: ...


class Forecasts(Protocol):
    """Tables of forecasts, and scorecards."""

    def read(self, connection_id: str) -> ForecastTable | None: ...
    def read_all(self, connection_ids: Iterable[str]) -> Mapping[str, ForecastTable]: ...
    def scorecards(self) -> tuple[Sequence[Scorecard], Sequence[Scorecard]]:
        """The scorecards of connections, and those of providers."""
        ...


class ActivityLog(EntryWriter, Protocol):
    """The activity log: who changed what."""

    def find(
        self, wanted: Wanted, *, after: Place | None, limit: int
    ) -> tuple[Sequence[Entry], Place | None]:
        """A page, the latest first, and the position of the next one; None after the last one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The services behind the API. The function's app.py passes the real ones, tests pass fakes."""

    orders: ReadableOrders
    lists: Lists
    search: Search
    figures: Figures
    forecasts: Forecasts
    cursor_keys: CursorKeys
    notices: Notices
    notice_lists: NoticeLists
    connections: Connections
    requests: Requests
    activity: ActivityLog
    views: SavedViews
    open_resender: Callable[[], "Resender"]
    open_acting: Callable[[], Acting]
    open_operations: Callable[[], "Operations"]
    open_batches: Callable[[], "BatchPlanner"]
    open_exports: Callable[[], "ExportDesk"]
    open_tracking_links: Callable[[], "TrackingLinks"]
    """These create, at their first use, services that few requests need: to resend, to run actions
    (also on many orders), to operate, to make exports, to
    link to tracking pages."""
    clock: Callable[[], datetime]
    """The present time, aware."""
    public_url: Callable[[], str]
    """Where the API is reached from outside, without a slash at its end."""
    narrowed_to: frozenset[str] | None = None
    """The connections that these services are limited to (``narrowed_roles``); None for every
    connection."""
    rows_in_page: int | None = None
    """The number of rows on a page for exports, which read lists to their end; None: as
    requested."""

    def rows(self, limit: int) -> int:
        """The number of rows on a page, from the requested number."""
        return self.rows_in_page or limit

    def open_recorder(self, not_completed: Callable[[Exception], None]) -> Recorder:
        """Records changes. Routes are recorded without it; other callers of the services use its
        ``recording``.

        :param not_completed: called when a change was made and its entry could not be completed
        """
        return Recorder(log=self.activity, clock=self.clock, not_completed=not_completed)

    def connection_ids(self) -> list[str]:
        """Every applied connection, including those with invalid settings."""
        return sorted({*self.connections.all(), *self.connections.unusable()})

    @property
    def finder(self) -> OrderFinder:
        """Lists and finds orders."""
        return OrderFinder(
            lists=self.lists,
            search=self.search,
            figures=self.figures,
            connections=self.connections,
        )

    @property
    def resender(self) -> "Resender":
        return self.open_resender()

    @property
    def acting(self) -> Acting:
        return self.open_acting()

    @property
    def batches(self) -> "BatchPlanner":
        return self.open_batches()

    @property
    def exports(self) -> "ExportDesk":
        return self.open_exports()

    @property
    def tracking_links(self) -> "TrackingLinks":
        return self.open_tracking_links()

    @property
    def operations(self) -> "Operations":
        return self.open_operations()


def _services(request: Request) -> Services:
    services: Services = request.context["services"]
    return services


def _caller(request: Request) -> Caller:
    caller: Caller = request.context["caller"]
    return caller


def _change(request: Request) -> Change:
    return request.context.get("change") or Change()


Given = Annotated[Services, Depends(_services)]
Who = Annotated[Caller, Depends(_caller)]
Recorded = Annotated[Change, Depends(_change)]
"""The change that the request makes: a route adds its target and the changed values. The change
itself is recorded automatically."""
