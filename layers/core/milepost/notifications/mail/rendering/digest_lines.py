"""The lines of a digest: what each says of its order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from milepost.common.causes import QUOTABLE, cause_of
from milepost.connections.connection import Connection
from milepost.notifications.mail.rendering.context import moved_on
from milepost.notifications.mail.rendering.fact_readers import moment_of, part, text_of
from milepost.notifications.mail.rendering.forecast_facts import (
    Forecasts,
    expected_end,
    forecast_words,
)
from milepost.notifications.mail.rendering.formatting import Moments
from milepost.notifications.mail.rendering.languages import Words
from milepost.notifications.mail.rendering.links import (
    TrackingPages,
    order_url,
    page_url,
    tracking_url,
)
from milepost.notifications.mail.rendering.reason_facts import NO_CAUSES, cause_name
from milepost.notifications.mail.rendering.sanitize import clean, shorten, upper_first
from milepost.notifications.notice import Audience, Notice
from milepost.notifications.subscription import DigestReason
from milepost.orders.details import Details, cause_in
from milepost.orders.disclosure import WITHHELD_SOURCE
from milepost.orders.order import Kind, TrackedOrder
from milepost.orders.overdue_list import OverdueNow

_ABOUT_DATES: Final = frozenset({Kind.SCHEDULED, Kind.RESCHEDULED, Kind.REMINDER})
_ABOUT_REASONS: Final = frozenset({Kind.REJECTED, Kind.FAILED, Kind.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestLine:
    """A notice in a digest; ``tracked`` is None if its order could not be read.

    Such a line is counted, not listed: nothing is known of its order.
    """

    notice: Notice
    tracked: TrackedOrder | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """The notices of one mail to one recipient; times are shown in ``time_zone`` (IANA name)."""

    recipient: str
    language: str
    time_zone: str
    reason: DigestReason
    lines: tuple[DigestLine, ...]
    beyond: tuple[Notice, ...] = ()
    """Further notices, which are counted but not shown: their orders were judged, but are not in
    memory.
    """
    overdue: OverdueNow = field(default_factory=OverdueNow)
    """Other overdue orders of the recipient's connections; never for customers."""
    connections: tuple[Connection, ...] = ()
    """The connections of the lines, if they are still applied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineWriter:
    """Writes the lines of one digest, in the recipient's language and time zone.

    ``forecasts`` are for the team's digests alone.
    """

    digest: Digest
    words: Words
    moments: Moments
    now: datetime
    console_url: str | None = None
    tracking: TrackingPages | None = None
    forecasts: Forecasts | None = None

    def line(self, line: DigestLine, *, is_customer: bool) -> dict[str, str]:
        """A line's parts; for an erased order only that it was erased."""
        key = line.notice.key
        shown = self.shown_date(line)
        when = self.words["digest"]["undated"] if shown is None else self.moments.short(shown)
        where = None if is_customer else clean(key.connection, 100)
        if line.tracked is None or line.tracked.erased_at is not None:
            who, said, link = clean(key.order_id, 60), self.words["digest"]["erased"], ""
            page = order_url(self.console_url, line.notice)
        else:
            who, said = self._of_order(line.notice, line.tracked)
            link, page = self._link(line.notice), self._page(line.notice)
        now = None if is_customer else self._status_now(line)
        forecast = None if is_customer else self._forecast(line)
        what = " · ".join(filter(None, (said, when, now, forecast, where)))
        text = " ".join(filter(None, (f"{who}: {what}", link, page)))
        return {"who": who, "what": what, "link": link, "page": page or "", "text": text}

    def _status_now(self, line: DigestLine) -> str | None:
        """The order's present status, if the line is about another one."""
        if line.tracked is None or line.tracked.erased_at is not None:
            return None
        now = line.tracked.order.status
        if not moved_on(line.notice.announcement.status, now):
            return None
        return f"{self.words['labels']['status_now']}: {self.words['statuses'][now]}"

    def _forecast(self, line: DigestLine) -> str | None:
        """When the order will probably be completed; None if it has ended, or if that can't be
        forecast.
        """
        connection = self._connection(line.notice)
        if line.tracked is None or line.tracked.erased_at is not None or connection is None:
            return None
        end = expected_end(line.tracked.order, connection, self.forecasts, now=self.now)
        return forecast_words(end, self.moments, self.words)

    def overdue(self) -> Iterable[Mapping[str, str]]:
        """Lines for other overdue orders, and one if there are more of them."""
        own = self.words["digest"]
        for one in self.digest.overdue.orders:
            text = own["overdue_line"].format(
                reference=clean(one.reference or "", 60) or clean(one.key.order_id, 60),
                connection=clean(one.key.connection, 100),
                status=self.words["statuses"][one.status],
                since=self.moments.short(one.since),
            )
            page = page_url(self.console_url, one.key) or ""
            yield {
                "who": "",
                "what": text,
                "link": "",
                "page": page,
                "text": " ".join(filter(None, (text, page))),
            }
        if self.digest.overdue.more:
            more = own["overdue_more"]
            yield {"who": "", "what": more, "link": "", "page": "", "text": more}

    def date(self, line: DigestLine) -> tuple[str, str]:
        """The value by which the lines of one kind are sorted."""
        return self.moments.sort_key(self.shown_date(line))

    def shown_date(self, line: DigestLine) -> str | datetime | None:
        """The date that a line shows: the appointment, if the line is about it. None if that isn't
        known, since any other date would be mistaken for it."""
        one = line.notice.announcement
        if one.kind in _ABOUT_DATES and line.tracked and line.tracked.erased_at is None:
            appointment = moment_of(line.tracked.order.details.get("appointment"))
            return appointment if appointment and self.moments.short(appointment) else None
        return one.occurred_at

    def _page(self, notice: Notice) -> str | None:
        """The URL at which the recipient can see the order."""
        connection = self._connection(notice)
        own = tracking_url(self.tracking, notice, connection, now=self.now)
        return own or order_url(self.console_url, notice)

    def _said_as_well(self, notice: Notice) -> str | None:
        """The other announcement of the same change, which has no line of its own."""
        one = notice.announcement
        if not one.joined or one.kind is not Kind.SCHEDULED:
            return None
        return str(self.words["digest"]["also_corrected" if one.correction else "also_accepted"])

    def _question(self, notice: Notice) -> str | None:
        """The question that a follow-up asks."""
        is_asked = notice.announcement.kind is Kind.FOLLOW_UP
        return str(self.words["digest"]["follow_up"]) if is_asked else None

    def _link(self, notice: Notice) -> str:
        """The link of a follow-up, if its connection has one."""
        if notice.announcement.kind is not Kind.FOLLOW_UP:
            return ""
        connection = self._connection(notice)
        follow_up = connection.follow_up if connection else None
        return follow_up.link if follow_up else ""

    def _connection(self, notice: Notice) -> Connection | None:
        """The connection of a notice's order; None if it is no longer applied."""
        named = (one for one in self.digest.connections if one.id == notice.key.connection)
        return next(named, None)

    def _of_order(self, notice: Notice, tracked: TrackedOrder) -> tuple[str, str]:
        details, kind = tracked.order.details, notice.announcement.kind
        customer, offer = part(details, "customer"), part(details, "offer")
        service = text_of(details.get("service_type")) or ""
        name = _shown(customer, "business", 40) or _shown(customer, "name", 40)
        reference = _shown(details, "reference", 40) or shorten(clean(notice.key.order_id), 40)
        what = _shown(offer, "name", 60) or self.words["services"].get(service)
        what = what or clean(service.replace("_", " "), 60)
        is_customer = notice.audience is Audience.CUSTOMER
        is_shown = kind in _ABOUT_REASONS and (
            not is_customer or {cause_in(details), cause_of(details.get("reason"))} <= QUOTABLE
        )
        why = self._why(details, is_customer=is_customer) if is_shown else None
        said = filter(None, (what, self._said_as_well(notice), why, self._question(notice)))
        who = (None if is_customer else name, reference)
        return ", ".join(filter(None, who)), upper_first(" – ".join(said))

    def _why(self, details: Details, *, is_customer: bool) -> str | None:
        """The provider's reason; without one, Milepost's text for its cause."""
        reason = _shown(details, "reason", 120)
        if reason and details.get("reason_source") != WITHHELD_SOURCE:
            return str(self.words["quote"].format(text=reason))
        cause = self.words["causes"].get(cause_in(details) or "")
        is_named = cause and cause_in(details) not in NO_CAUSES
        return cause_name(cause, details, for_customer=is_customer) if is_named else None


def _shown(details: Mapping[str, Any], name: str, longest: int) -> str | None:
    return shorten(clean(text_of(details.get(name)) or ""), longest) or None
