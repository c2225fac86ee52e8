"""The interface of adapters: payloads, statuses, paging, signing in, actions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from milepost.common.errors import BadPayload
from milepost.common.status import Status, normal_form
from milepost.connections.connection import Connection
from milepost.orders.deadlines import look_at_dates
from milepost.orders.details import Details
from milepost.orders.order import Order
from milepost.orders.provider_rules import Rules
from milepost.orders.report import Report
from milepost.orders.status_remapping import StatusReader
from milepost.providers.status_words import StatusTable
from milepost.webhooks.signature_schemes import SignatureScheme

Json: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The request for a page of a provider's order list: a path below the base URL, and its
    query."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    link: str | None = field(default=None, compare=False)
    """The next page's URL, from the Link header of the response to this request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: its orders as the provider wrote them, and the next page, if any.

    An order may be any JSON value, or None if it isn't valid JSON.

    ``newest_change`` is the latest time of change on this page.
    """

    orders: list[Json]
    next: PageRequest | None
    newest_change: datetime | None = None


class BrokenPage(Exception):
    """A response that is not a page: the poll failed, whatever the HTTP status is."""


class OrderNamed(BadPayload):
    """A webhook that only names an order that has changed, so the order has to be fetched.

    A caller that can't fetch it has to treat the payload as one without a report.
    """

    def __init__(self, order_id: str) -> None:
        super().__init__("it only names an order, which has to be fetched")
        self.order_id = order_id


class SignInFailed(Exception):
    """The provider did not accept the connection's credentials."""


@dataclass(frozen=True, slots=True)
class Response:
    """A provider's HTTP response; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http(Protocol):
    """Sends one request to the provider's own hosts: no redirects, limited time and size."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> Response: ...


@dataclass(frozen=True, slots=True)
class SignIn:
    """Headers that authenticate requests, and when they expire (None: never by themselves).

    ``query`` is for providers that take a key in the query: it is added to every request and never
    stored.
    """

    headers: Mapping[str, str]
    valid_until: datetime | None = None
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The request for an action: a path below the base URL, and a JSON body."""

    method: str
    path: str
    body: Json | None = None


class BadArgument(ValueError):
    """An invalid argument of an action; the message says what to give instead."""


class NothingToDo(Exception):
    """The order lacks what this action applies to; the message says what is missing."""


def charge_nothing(_details: Details) -> str | None:
    """For actions that don't charge a card."""
    return None


def say_done(_body: Json) -> str:
    """The outcome for a response that only confirms the action."""
    return "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAction:
    """An action that the provider runs on an order on request.

    ``make_call`` takes the order and the arguments; it raises ``BadArgument`` or ``NothingToDo``.
    ``read_outcome`` gives the outcome of an accepted call in a few words, from the response body.
    """

    statuses: frozenset[Status]
    """The statuses in which the provider allows it."""
    make_call: Callable[[Order, Json], Call]
    read_outcome: Callable[[Json], str] = say_done
    arguments: frozenset[str] = frozenset()
    can_be_planned: bool = False
    """Whether people may plan it for a later time."""
    charge: Callable[[Details], str | None] = charge_nothing
    """The amount that it charges to the customer's card, as text, by the facts of the order; None
    for nothing. A person has to confirm it, also when planning the action."""
    raw_statuses: frozenset[str] | None = None
    """The raw statuses in which the provider allows it, in normal form; None: all of
    ``statuses``."""
    is_final: bool = False
    """Whether it can't be undone, so that a person has to confirm it."""


def is_in_place(order: Order, action: ProviderAction) -> bool:
    """Whether the provider allows this action in the order's present status."""
    if order.status not in action.statuses:
        return False
    raw = normal_form(order.raw_status or "")
    return action.raw_statuses is None or raw in action.raw_statuses


class Provider(Protocol):
    """An adapter. Everything except ``sign_in`` is pure; invalid input raises ``BadPayload``."""

    name: str
    orders_path: tuple[str, ...]
    """The path of names to the list of orders in a page; empty for a page that is the list
    itself."""
    change_field: str | None
    """The field of an order with the time of change by which pages are filtered; None if they can't
    be filtered."""
    service_types: frozenset[str]
    """The service types that the provider documents, and the one of orders that name none. Orders
    may have others."""
    has_items: bool
    """Whether the items of an order are tracked, each with an id of its own. If not, the order's id
    is that of its only item."""
    pages_can_shift: bool
    """Whether an order can move to a page that was already read, and is then never seen: true for
    numbered pages of a list filtered by change. False for cursors that name a position, and when
    every poll reads the whole list."""

    @property
    def statuses(self) -> StatusTable:
        """The canonical status of each raw status that the provider documents."""
        ...

    @property
    def signature_scheme(self) -> str | SignatureScheme | None:
        """How the provider signs webhooks (``signature_schemes``); None if it sends none."""
        ...

    @property
    def rules(self) -> Rules:
        """The provider's rules for the lifecycle."""
        ...

    def read_event(self, event: Json, *, connection: Connection, seen_at: datetime) -> list[Report]:
        """The reports of one webhook.

        :raises OrderNamed: when it only names the order to fetch
        """
        ...

    def read_order(
        self, order: Json, *, connection: Connection, requested_at: datetime
    ) -> list[Report]:
        """The reports of one order on a page that was requested at this time."""
        ...

    def split_order(self, order: Json) -> list[Json]:
        """One order for each item that is tracked by itself, so that each can be read separately.

        Accepts any JSON value. Empty for providers whose orders have no such items.
        """
        ...

    def split_event(self, event: Json) -> list[Json]:
        """Like ``split_order``, for a webhook that contains an order with all of its items."""
        ...

    def first_page(self, connection: Connection, *, changed_since: datetime | None) -> PageRequest:
        """The first page of a poll; providers that can't filter by change ignore
        ``changed_since``."""
        ...

    def read_page(self, body: Json, *, request: PageRequest) -> Page:
        """Read a page's envelope. ``read_order`` finds errors in single orders.

        :raises BrokenPage: when it is an error response that looks like a page
        """
        ...

    def order_request(self, order_id: str) -> PageRequest:
        """The request that fetches this order."""
        ...

    def read_one(self, body: Json) -> Json:
        """The order in the response to ``order_request``, in the form for ``read_order``.

        :raises BrokenPage: when the response has no order
        """
        ...

    @property
    def actions(self) -> Mapping[str, ProviderAction]:
        """The provider's actions, by name."""
        ...

    def read_refusal(self, body: Json) -> str | None:
        """The message of an error response; None if it has none."""
        ...

    def sign_in(
        self, connection: Connection, credentials: Mapping[str, str], *, http: Http, now: datetime
    ) -> SignIn:
        """:raises SignInFailed: when the credentials are not accepted"""
        ...


def rules_of(provider: Provider, connection: Connection) -> Rules:
    """The provider's rules with the connection's own: names of statuses, and how far ahead an
    appointment may be."""
    rules = provider.rules
    return replace(
        rules,
        read_status=_status_reader(rules.read_status, connection),
        look_at=lambda order: look_at_dates(order, connection),
    )


def undocumented_words(
    reports: Iterable[Report], provider: Provider, connection: Connection
) -> list[str]:
    """The raw statuses that neither the provider's documentation nor the connection names."""
    own = set(map(normal_form, connection.statuses))
    return [
        one.raw_status
        for one in reports
        if one.has_unknown_status
        and one.raw_status
        and not provider.statuses.documents(one.raw_status)
        and normal_form(one.raw_status) not in own
    ]


def _status_reader(known: StatusReader | None, connection: Connection) -> StatusReader | None:
    own = {normal_form(word): Status(name) for word, name in connection.statuses.items()}
    if known is None or not own:
        return known

    def read(raw_status: str, details: Details) -> Status | None:
        return own.get(normal_form(raw_status)) or known(raw_status, details)

    return read
