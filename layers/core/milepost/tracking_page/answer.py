"""Answers a request to a tracking link.

Whoever has a link that this stack signed learns what is wrong with it: it expired, it was
revoked, the order is gone. Everybody else gets one and the same answer, before anything of an
order is read.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from milepost.connections.connection import (
    Connection,
    Connections,
    UnknownConnection,
    UnusableConnection,
)
from milepost.notifications.mail.unsubscribe import LinkKeys, NoLinkKey
from milepost.orders.order import OrderKey, TrackedOrder
from milepost.tracking_page.calendar_file import CalendarEvent, calendar_file
from milepost.tracking_page.guesses import Guesses
from milepost.tracking_page.link import (
    BadTrackingLink,
    LinkVersions,
    TrackingLink,
    read_token,
)
from milepost.tracking_page.page import HEADERS, Page, order_page, outcome_page
from milepost.tracking_page.texts import choose_language, texts_of
from milepost.tracking_page.view import TrackingView, view_of

RETRY_SECONDS: Final = 120


class Outcome(StrEnum):
    """The outcome of a request. It is logged, and the page shows it."""

    SHOWN = "shown"
    CALENDAR = "calendar"
    BAD_LINK = "bad_link"
    EXPIRED = "expired"
    REVOKED = "revoked"
    GONE = "gone"
    NO_APPOINTMENT = "no_appointment"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"


_STATUSES: Final = {
    Outcome.BAD_LINK: 404,
    Outcome.EXPIRED: 410,
    Outcome.REVOKED: 410,
    Outcome.GONE: 410,
    Outcome.NO_APPOINTMENT: 404,
    Outcome.TOO_MANY: 429,
    Outcome.UNAVAILABLE: 503,
}


class Orders(Protocol):
    def read(self, key: OrderKey) -> TrackedOrder | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A browser's request. ``chosen_language`` is the language that was chosen on the page."""

    token: str
    address: str
    accept_language: str = ""
    chosen_language: str | None = None
    wants_calendar: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """The outcome, and the page or file to send."""

    outcome: Outcome
    page: Page


class _Refused(Exception):
    """The request gets no order; the page says why."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingAnswers:
    """Answers requests. Reads only the order, its connection, and the version of its links."""

    keys: LinkKeys
    versions: LinkVersions
    orders: Orders
    connections: Connections
    guesses: Guesses

    def answer(self, request: Request, *, now: datetime) -> Answered:
        """The page, or the calendar file; otherwise the reason why there is none."""
        try:
            link = self._checked(request)
            return self._answer(link, request, language=_language(request), now=now)
        except _Refused as refused:
            return self._refusal(refused.outcome, request)
        except (NoLinkKey, UnusableConnection):
            return self.unavailable(request)

    def unavailable(self, request: Request) -> Answered:
        """The response while something that the page needs can't be read."""
        return self._refusal(Outcome.UNAVAILABLE, request)

    def _checked(self, request: Request) -> TrackingLink:
        if self.guesses.are_too_many(request.address):
            raise _Refused(Outcome.TOO_MANY)
        try:
            return read_token(request.token, self.keys.keys())
        except BadTrackingLink:
            self.guesses.count(request.address)
            raise _Refused(Outcome.BAD_LINK) from None

    def _answer(
        self, link: TrackingLink, request: Request, *, language: str, now: datetime
    ) -> Answered:
        if link.expires <= now:
            raise _Refused(Outcome.EXPIRED)
        connection = self._connection(link.key)
        if self.versions.current(link.key) != link.version:
            raise _Refused(Outcome.REVOKED)
        tracked = self.orders.read(link.key)
        if tracked is None or tracked.erased_at is not None:
            raise _Refused(Outcome.GONE)
        view = view_of(
            tracked.order, connection, language=language, now=now, valid_until=link.expires
        )
        if request.wants_calendar:
            return Answered(Outcome.CALENDAR, _calendar(view, tracked, now=now))
        return Answered(Outcome.SHOWN, order_page(view))

    def _connection(self, key: OrderKey) -> Connection:
        """The order's connection, if customers may follow its orders."""
        try:
            connection = self.connections.get(key.connection)
        except UnknownConnection:
            raise _Refused(Outcome.REVOKED) from None
        if connection.tracking is None:
            raise _Refused(Outcome.REVOKED)
        return connection

    def _refusal(self, outcome: Outcome, request: Request) -> Answered:
        retry_after = None
        if outcome is Outcome.UNAVAILABLE:
            retry_after = RETRY_SECONDS
        elif outcome is Outcome.TOO_MANY:
            retry_after = self.guesses.seconds_left(request.address)
        page = outcome_page(
            outcome,
            status=_STATUSES[outcome],
            language=_language(request),
            retry_after=retry_after,
        )
        return Answered(outcome, page)


def _language(request: Request) -> str:
    return choose_language(chosen=request.chosen_language, accept_language=request.accept_language)


def _calendar(view: TrackingView, tracked: TrackedOrder, *, now: datetime) -> Page:
    if view.appointment is None or view.appointment.is_past:
        raise _Refused(Outcome.NO_APPOINTMENT)
    texts = texts_of(view.language)
    heading = texts["supply_start" if view.appointment.is_supply else "appointment"]
    summary = ": ".join(filter(None, (view.company, view.service or heading)))
    event = CalendarEvent(
        key=tracked.order.key,
        at=view.appointment.at,
        sequence=tracked.version,
        summary=summary,
        location=view.place,
        description=texts["contact_text"].format(contact=view.contact) if view.contact else None,
    )
    headers = {
        **HEADERS,
        "content-type": "text/calendar; charset=utf-8; method=PUBLISH",
        "content-disposition": 'attachment; filename="appointment.ics"',
        "content-language": view.language,
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    }
    return Page(200, headers, calendar_file(event, now=now))
