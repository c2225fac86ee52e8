"""What an adapter has to know of its provider: shape, mapping, paging, signing in, actions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Protocol, TypeAlias

from milepost.common.errors import BadPayload, DatedAhead
from milepost.common.status import Status, normal_form
from milepost.connections.connection import Connection
from milepost.orders.deadlines import look_at_dates
from milepost.orders.details import Details
from milepost.orders.order import Order
from milepost.orders.report import Report, refuse_future
from milepost.orders.restating import StatusReader
from milepost.orders.rules import Rules
from milepost.webhooks.schemes import SignatureScheme

Json: TypeAlias = Mapping[str, Any]

MOST_ITEMS: Final = 500
"""Items of one order: so many can be recorded in the time that a poll keeps for one order more."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of a provider's list of orders: a path below the base URL, and its query."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    link: str | None = field(default=None, compare=False)
    """The next page's URL, by the Link header that came with the answer to this request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: its orders as the provider wrote them, and which page comes next, if any.

    One of its orders may be anything that JSON has, or None if it isn't even JSON.

    ``newest_change`` is the latest time of change that the provider gives on this page.
    """

    orders: list[Json]
    next: PageRequest | None
    newest_change: datetime | None = None


class BrokenPage(Exception):
    """A page that is not one: the poll failed, whatever the HTTP status said."""


class OrderNamed(BadPayload):
    """A webhook that only names the order of which something is new, so that it is fetched.

    Whoever can't fetch it has a payload without a report.
    """

    def __init__(self, order_id: str) -> None:
        super().__init__("it only names an order, which has to be fetched")
        self.order_id = order_id


class SignInFailed(Exception):
    """The provider did not accept the connection's credentials."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer of a provider; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http(Protocol):
    """One request to the provider's own hosts: no redirects, bounded in time and size."""

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
    """Headers that show who we are, and until when they are good (None: until changed).

    ``query`` is for providers that take a key there: added to every request, and kept nowhere.
    """

    headers: Mapping[str, str]
    valid_until: datetime | None = None
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that has something done: a path below the base URL, and what is sent as JSON."""

    method: str
    path: str
    body: Json | None = None


class BadArgument(ValueError):
    """An action can't be asked for like this; the message says what to give instead."""


class NothingToDo(Exception):
    """The order has nothing that this action could be about; the message says what is missing."""


def charge_nothing(_details: Details) -> str | None:
    """For actions that no card is charged for."""
    return None


def say_done(_body: Json) -> str:
    """What there is to tell of an answer that says no more than yes."""
    return "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAction:
    """One thing that the provider does with an order when it is asked to.

    ``make_call`` takes the order and the arguments; it raises ``BadArgument`` or ``NothingToDo``.
    ``read_outcome`` tells in a few words what an accepted call came to, from the answer's body.
    """

    statuses: frozenset[Status]
    """In which the provider lets it be done."""
    make_call: Callable[[Order, Json], Call]
    read_outcome: Callable[[Json], str] = say_done
    arguments: frozenset[str] = frozenset()
    can_be_planned: bool = False
    """Whether it makes sense to set a time for it."""
    charge: Callable[[Details], str | None] = charge_nothing
    """What it charges the customer's card, in words, by the facts of the order; None for nothing.
    A person is asked before that, also when they plan it."""
    raw_statuses: frozenset[str] | None = None
    """The raw ones in which the provider does it, in normal form; None: in all of ``statuses``."""
    is_final: bool = False
    """Whether nothing takes it back, so that a person is asked before it is done."""


def is_in_place(order: Order, action: ProviderAction) -> bool:
    """Whether the provider does this with an order that stands where this one does."""
    if order.status not in action.statuses:
        return False
    raw = normal_form(order.raw_status or "")
    return action.raw_statuses is None or raw in action.raw_statuses


class Provider(Protocol):
    """An adapter. Everything but ``sign_in`` is pure; untrusted input gives ``BadPayload``."""

    name: str
    orders_path: tuple[str, ...]
    """The names under which a page has its list of orders; none for a page that is the list."""
    change_field: str | None
    """The field of an order with the time of change by which pages are filtered; None when they
    can't be."""
    pages_can_shift: bool
    """Whether an order can move to a page that was read, and is then missed for good: numbered
    pages of a list filtered by change. Not with cursors that name a place, nor when every poll
    reads the whole list."""

    @property
    def signature_scheme(self) -> str | SignatureScheme | None:
        """How it signs webhooks (``webhooks.schemes``), None when it sends none."""
        ...

    @property
    def rules(self) -> Rules:
        """What it adds to the lifecycle."""
        ...

    def read_event(self, event: Json, *, connection: Connection, seen_at: datetime) -> list[Report]:
        """The reports of one webhook.

        :raises OrderNamed: when all it says is which order to fetch
        """
        ...

    def read_order(
        self, order: Json, *, connection: Connection, requested_at: datetime
    ) -> list[Report]:
        """The reports of one order of a page that was requested at this time."""
        ...

    def split_order(self, order: Json) -> list[Json]:
        """An order for each part that is tracked by itself, to be read apart from the others.

        Whatever the order is made of. None for providers whose orders have no such parts.
        """
        ...

    def first_page(self, connection: Connection, *, changed_since: datetime | None) -> PageRequest:
        """Where a poll starts; providers that can't filter by change ignore ``changed_since``."""
        ...

    def read_page(self, body: Json, *, request: PageRequest) -> Page:
        """Read a page's envelope. What is wrong with a single order is found by ``read_order``.

        :raises BrokenPage: when it is an error in the clothes of a page
        """
        ...

    def order_request(self, order_id: str) -> PageRequest:
        """Where this one order is fetched."""
        ...

    def read_one(self, body: Json) -> Json:
        """The order in the answer to ``order_request``, as ``read_order`` takes it.

        :raises BrokenPage: when there is none in it
        """
        ...

    @property
    def actions(self) -> Mapping[str, ProviderAction]:
        """What the provider does when it is asked to, by name."""
        ...

    def read_refusal(self, body: Json) -> str | None:
        """The words in which an error says what is wrong; None when it has none."""
        ...

    def sign_in(
        self, connection: Connection, credentials: Mapping[str, str], *, http: Http, now: datetime
    ) -> SignIn:
        """:raises SignInFailed: when the credentials are not accepted"""
        ...


def rules_of(provider: Provider, connection: Connection) -> Rules:
    """The provider's rules with what the connection says of its own: names of statuses, and how
    far ahead an appointment may be."""
    return replace(
        provider.rules,
        read_status=_status_reader(provider.rules.read_status, connection),
        look_at=lambda order: look_at_dates(order, connection),
    )


def _status_reader(known: StatusReader | None, connection: Connection) -> StatusReader | None:
    own = {normal_form(word): Status(name) for word, name in connection.statuses.items()}
    if known is None or not own:
        return known

    def read(raw_status: str, details: Details) -> Status | None:
        return own.get(normal_form(raw_status)) or known(raw_status, details)

    return read


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An order, or the part of one, that can't be read, and why."""

    order: Json
    reason: BadPayload

    @property
    def is_only_ahead(self) -> bool:
        """Whether it can be read later, when the time has come at which it is dated."""
        return isinstance(self.reason, DatedAhead)


@dataclass(frozen=True, slots=True)
class ReadOrder:
    """What an order reports, and the parts of it that can't be read."""

    reports: list[Report]
    unreadable: list[Unreadable]


def read_order(
    provider: Provider,
    order: Json,
    *,
    connection: Connection,
    requested_at: datetime,
    judged_at: datetime | None = None,
) -> ReadOrder:
    """Read one order of a page; of one with a bad part, the other parts anyway.

    :param judged_at: what is dated more than 5 minutes after it can't be read; else the request
    """

    def read(one: Json) -> list[Report]:
        reports = provider.read_order(one, connection=connection, requested_at=requested_at)
        if len(reports) > MOST_ITEMS:
            raise BadPayload(f"more than {MOST_ITEMS} items in one order")
        refuse_future(reports, now=judged_at or requested_at)
        return reports

    try:
        return ReadOrder(read(order), [])
    except BadPayload as error:
        parts = provider.split_order(order)
        if not 2 <= len(parts) <= MOST_ITEMS:
            return ReadOrder([], [Unreadable(order, _without_frames(error))])
    found = ReadOrder([], [])
    for part in parts:
        try:
            found.reports.extend(read(part))
        except BadPayload as error:
            found.unreadable.append(Unreadable(part, _without_frames(error)))
    return found


def _without_frames(error: BadPayload) -> BadPayload:
    """The error without the frames that it came through: they hold on to the whole order."""
    error.__traceback__ = error.__context__ = None
    return error
