"""A list of orders: its filters, which orders match, and the position at which a page ends.

A list is sorted by the orders' next date. The index keeps each status in several shards, so the
list is their merge; orders of the same second are sorted by shard. So a place in the list is a
date, a shard, and an order in it, and every page can begin right after one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from milepost.common.status import Status, is_same_word
from milepost.common.timestamps import in_zone, parse_instant, sortable, stored_day, stored_moment
from milepost.connections.default_settings import COUNTRY
from milepost.orders.deadlines import ON_SITE
from milepost.orders.details import Details
from milepost.orders.lifecycle import OPEN_BY_PROGRESS, TERMINAL
from milepost.orders.order import OVERDUE, Attention, OrderKey
from milepost.orders.search_terms import customer_id_of, is_of_customer
from milepost.orders.summary import Wait
from milepost.queries.list_choices import Due
from milepost.queries.phone_words import phone_words
from milepost.queries.search_words import has_words, text_has_words, words_of

ANY_ATTENTION: Final = "any"
ANY_WAIT: Final = "any"
LISTED_FACTS: Final = ("customer", "address", "offer", "charge_box")
"""Details that lists show or filter by, and the index has not."""
_WEEK: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)
NO_ZONE: Final = "UTC"
"""The time zone of an order whose connection has no settings."""
_BEFORE_MIDNIGHT: Final = timedelta(seconds=1)
"""An earlier version stored a day as its date alone, which sorts before the day's midnight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which orders a list shows. ``asked_at`` is when its first page was requested."""

    asked_at: datetime
    statuses: Sequence[Status] = OPEN_BY_PROGRESS
    connections: frozenset[str] = frozenset()
    """None of them means all of them."""
    provider: str | None = None
    raw_status: str | None = None
    """The provider's own word, in any case and white space."""
    service_type: str | None = None
    attention: str | None = None
    """The code of a reason to look, or ``any``."""
    due: Due | None = None
    first_day: date | None = None
    last_day: date | None = None
    waiting: str | None = None
    """What the order waits for from its customer, or ``any``."""
    reference: str | None = None
    """Words of the reference, or their beginnings; the same of the three below."""
    customer: str | None = None
    """A customer's id, or words of their name, business, email, phone or number."""
    product: str | None = None
    """Words of the product, its supplier or the charge box's model."""
    place: str | None = None
    """Words of the address."""
    updated_since: datetime | None = None
    """When something of the order was learned last, at the earliest."""

    @property
    def needs_facts(self) -> bool:
        """Whether the orders themselves have to be read to apply the filters, since the index
        doesn't have all values.
        """
        words = (self.customer, self.product, self.place)
        return any(words) or self.updated_since is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An order in the form of lists."""

    key: OrderKey
    provider: str
    status: Status
    raw_status: str | None
    since: str
    next_date: str
    reference: str | None = None
    service_type: str | None = None
    appointment: str | None = None
    attention: tuple[Attention, ...] = field(default=())
    waiting: Wait | None = None
    """What its stage waits for, if for the customer."""
    facts: Details = field(default_factory=Details)
    """What the order itself says of ``LISTED_FACTS``; empty where only the index was read."""
    updated_at: str | None = None
    """When something of it was learned last; None where only the index was read."""
    raw_since: str | None = None
    """When it entered ``raw_status``, if later than ``since``; None where only the index was
    read."""

    @property
    def stage_since(self) -> str:
        """When its current stage began, by the provider's raw status."""
        return self.raw_since or self.since

    @property
    def customer_id(self) -> str:
        return customer_id_of(self.facts, self.key)

    @property
    def customer_name(self) -> str | None:
        customer = self.facts.get("customer", {})
        return customer.get("business") or customer.get("name")

    @property
    def product(self) -> str | None:
        offer, box = self.facts.get("offer", {}), self.facts.get("charge_box", {})
        return offer.get("name") or box.get("model") or offer.get("id")

    @property
    def supplier(self) -> str | None:
        return self.facts.get("offer", {}).get("supplier")

    @property
    def place(self) -> str | None:
        """Postcode and town."""
        address = self.facts.get("address", {})
        return " ".join(filter(None, (address.get("postcode"), address.get("city")))) or None


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a list: the order at that position, its shard and its date."""

    next_date: str
    shard: str
    key: OrderKey


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list. Without ``last``, it is the last page, unless a search found ``more``
    orders than it returns."""

    orders: Sequence[Listed]
    last: Place | None
    more: bool = False
    counted: int = 0
    """How many orders of the list a read for several lists has found, beyond this page too."""
    counted_all: bool = False
    """Whether these are all orders of the list."""


class Lists(Protocol):
    """The source of lists."""

    def page(
        self, wanted: Wanted, *, zones: Mapping[str, str], after: Place | None, limit: int
    ) -> Page:
        """At most ``limit`` orders after a position; fewer if many orders had to be examined. Their
        facts are not read, unless a filter needs them.

        :param zones: the time zone of each connection
        """
        ...

    def first_pages(
        self, wanted: Sequence[Wanted], *, zones: Mapping[str, str], limit: int
    ) -> Sequence[Page]:
        """The first page of each of several lists; one read serves several lists if possible.

        :param wanted: at least one; without filters that need facts
        """
        ...

    def read_facts(self, orders: Sequence[Listed]) -> Sequence[Listed]:
        """The same orders with their facts."""
        ...

    def look_up(self, keys: Sequence[OrderKey]) -> Sequence[Listed]:
        """These orders with their facts, without orders that were deleted."""
        ...


def is_wanted(one: Listed, wanted: Wanted, *, zone: str) -> bool:
    """Whether a list shows this order.

    :param zone: the time zone of its connection
    """
    return (
        one.status in wanted.statuses
        and (not wanted.connections or one.key.connection in wanted.connections)
        and wanted.provider in (None, one.provider)
        and (wanted.raw_status is None or is_same_word(one.raw_status, wanted.raw_status))
        and wanted.service_type in (None, one.service_type)
        and _has_attention(one, wanted.attention)
        and _waits(one, wanted.waiting)
        and (wanted.reference is None or text_has_words(wanted.reference, [one.reference]))
        and _is_due(one, wanted, ZoneInfo(zone))
    )


def has_wanted_facts(one: Listed, wanted: Wanted) -> bool:
    """Whether an order whose facts have been read passes the filters that need them."""
    facts, customer = one.facts, wanted.customer
    offer, box = facts.get("offer", {}), facts.get("charge_box", {})
    since = wanted.updated_since
    return (
        (
            customer is None
            or is_of_customer(one.customer_id, customer)
            or _is_customer(customer, facts)
        )
        and (wanted.place is None or text_has_words(wanted.place, _texts(facts.get("address"))))
        and (wanted.product is None or text_has_words(wanted.product, _texts(offer, box)))
        and (since is None or (one.updated_at or "") >= sortable(since))
    )


def _is_customer(query: str, facts: Details) -> bool:
    words = {word for text in _texts(facts.get("customer")) for word in words_of(text)}
    if has_words(query, words):
        return True
    phone = facts.get("customer", {}).get("phone")
    if phone is None or not any(character.isdigit() for character in query):
        return False
    country = facts.get("address", {}).get("country", COUNTRY)
    return has_words(query, words | set(phone_words(phone, country=country)))


def _texts(*facts: Mapping[str, Any] | None) -> list[str]:
    return [str(value) for fact in facts if fact for value in fact.values()]


def _waits(one: Listed, what: str | None) -> bool:
    return what is None or (one.waiting is not None and what in (ANY_WAIT, one.waiting.what))


def next_dates(wanted: Wanted, zones: Iterable[str]) -> tuple[str | None, str | None]:
    """The first and last ``next_date`` that orders of this list can have.

    :param zones: the time zones of their connections
    """
    if wanted.due is Due.OVERDUE:
        return None, sortable(wanted.asked_at)
    first, last = list[datetime](), list[datetime]()
    for zone in map(ZoneInfo, {*zones, NO_ZONE}):
        first_day, last_day = _days(wanted, wanted.asked_at.astimezone(zone).date())
        # An order with an agreed day has the day's midnight in UTC.
        if first_day:
            first += [_midnight(first_day, zone), _midnight(first_day, UTC)]
        if last_day:
            last += [_midnight(last_day + _DAY, zone), _midnight(last_day + _DAY, UTC)]
    return (
        sortable(min(first) - _BEFORE_MIDNIGHT) if first else None,
        sortable(max(last)) if last else None,
    )


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _days(wanted: Wanted, today: date) -> tuple[date | None, date | None]:
    """The first and the last day of a list's orders.

    :param today: in the time zone of their connection
    """
    if wanted.due is None:
        return wanted.first_day, wanted.last_day
    return _week(wanted.due, today)


def _has_attention(one: Listed, code: str | None) -> bool:
    if code is None:
        return True
    return any(code in (ANY_ATTENTION, reason.code) for reason in one.attention)


def _is_due(one: Listed, wanted: Wanted, zone: ZoneInfo) -> bool:
    today = wanted.asked_at.astimezone(zone).date()
    if wanted.due is Due.OVERDUE:
        return one.status not in TERMINAL and _is_over(one, wanted.asked_at, today)
    first, last = _days(wanted, today)
    if first is None and last is None:
        return True
    day = _day_of(one, zone)
    return (first is None or day >= first) and (last is None or day <= last)


def _week(due: Due, today: date) -> tuple[date, date]:
    monday = today - timedelta(days=today.weekday())
    if due is Due.NEXT_WEEK:
        monday += _WEEK
    return monday, monday + _WEEK - _DAY


def _is_over(one: Listed, now: datetime, today: date) -> bool:
    """Whether the order is overdue according to ``deadlines.overdue_at``."""
    is_agreed = one.status is Status.SCHEDULED and one.appointment is not None
    if one.waiting and is_agreed:
        # The later of the two counts, and only the appointment is known here.
        return any(reason.code == OVERDUE for reason in one.attention)
    agreed = stored_moment(one.appointment) if is_agreed else None
    if agreed is not None and one.next_date < sortable(agreed):
        # Its appointment was moved far beyond the track: it is overdue before that.
        return one.next_date < sortable(now)
    day = _agreed_day(one)
    # An appointment is over after the work on site; without a time, at the end of its day.
    if day:
        return day < today
    on_site = ON_SITE if is_agreed else timedelta()
    return one.next_date < sortable(now - on_site)


def _day_of(one: Listed, zone: ZoneInfo) -> date:
    return _agreed_day(one) or in_zone(parse_instant(one.next_date), zone).date()


def _agreed_day(one: Listed) -> date | None:
    """The day of an appointment without a time: a calendar day, without a time zone."""
    return stored_day(one.appointment) if one.status is Status.SCHEDULED else None
