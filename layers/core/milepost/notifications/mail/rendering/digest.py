"""Digests: many notices in one mail, as a list."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from milepost.common.causes import QUOTABLE, cause_of
from milepost.connections.connection import Connection
from milepost.notifications.mail.batch_sender import MOST_SHOWN
from milepost.notifications.mail.rendering.fact_readers import moment_of, part, text_of
from milepost.notifications.mail.rendering.facts import greeting
from milepost.notifications.mail.rendering.formatting import Moments
from milepost.notifications.mail.rendering.jinja import environment
from milepost.notifications.mail.rendering.languages import Words, counted, language_for, words_of
from milepost.notifications.mail.rendering.links import (
    TrackingPages,
    order_url,
    page_url,
    tracking_url,
)
from milepost.notifications.mail.rendering.mail_footer import MailEnds, mail_ends, reason_for_digest
from milepost.notifications.mail.rendering.sanitize import (
    LONGEST_SUBJECT,
    clean,
    fit_subject,
    shorten,
    tidy,
    upper_first,
)
from milepost.notifications.notice import MOST_URGENT_FIRST, Audience, Notice, urgency
from milepost.notifications.subscription import DigestReason
from milepost.orders.details import cause_in
from milepost.orders.order import Kind, TrackedOrder
from milepost.orders.overdue_list import OverdueNow

MOST_LINES: Final = MOST_SHOWN
_ABOUT_DATES: Final = frozenset({Kind.SCHEDULED, Kind.RESCHEDULED, Kind.REMINDER})
_MOST_NAMED: Final = 5
"""Maximum number of connections in a command in a mail."""
_ABOUT_REASONS: Final = frozenset({Kind.REJECTED, Kind.FAILED, Kind.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestLine:
    """A notice in a digest; ``tracked`` is None when its order could not be read.

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
    """Notices that are counted, but not shown: their orders were judged, and not kept."""
    overdue: OverdueNow = field(default_factory=OverdueNow)
    """What is overdue besides, of the recipient's connections; never for customers."""
    connections: tuple[Connection, ...] = ()
    """Those of the lines, as far as they are still applied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedDigest:
    subject: str
    text: str
    html: str
    ends: MailEnds


def compose_digest(
    digest: Digest,
    *,
    now: datetime,
    unsubscribe_url: str | None,
    sample: bool = False,
    console_url: str | None = None,
    tracking: TrackingPages | None = None,
) -> ComposedDigest:
    """The parts of a digest's mail; of more than 200 lines the most urgent are shown.

    :param console_url: where the team looks at orders
    :param tracking: the pages on which customers look at theirs
    :raises ValueError: without any line
    """
    form = _form(digest, now=now, sample=sample, console_url=console_url, tracking=tracking)
    language, words = form.language, form.words
    notices = _notices(digest)
    audience = notices[0].audience
    ends = mail_ends(audience, digest.connections, words, footer=reason_for_digest(notices, words))
    values = {
        "language": language,
        "words": words,
        "audience": str(audience),
        "sample": sample,
        **form.values(audience),
        **ends.values,
        "unsubscribe_url": unsubscribe_url,
    }
    text = environment(html=False).get_template("digest.txt.j2").render(values)
    html = environment(html=True).get_template("digest.html.j2").render(values)
    return ComposedDigest(
        subject=values["subject"], text=tidy(text), html=html.strip() + "\n", ends=ends
    )


def digest_values(
    digest: Digest, *, now: datetime, console_url: str | None, most: int, sample: bool = False
) -> Mapping[str, Any]:
    """The texts of a digest for a message that is no mail: ``subject``, ``heading``, ``intro``,
    ``groups`` of lines, and how many ``more`` there are.

    :param most: how many lines are shown, the most urgent
    :raises ValueError: without any line
    """
    form = _form(digest, now=now, sample=sample, console_url=console_url)
    return replace(form, most=most).values(_notices(digest)[0].audience)


def _form(
    digest: Digest,
    *,
    now: datetime,
    sample: bool,
    console_url: str | None,
    tracking: TrackingPages | None = None,
) -> "_Form":
    if not digest.lines:
        raise ValueError("a digest needs at least one line")
    language = language_for(digest.language)
    words = words_of(language)
    moments = Moments(
        language=language,
        asked=digest.language,
        time_zone=digest.time_zone,
        country=_only_country(digest.connections),
        words=words,
        now=now,
    )
    return _Form(
        digest=digest,
        words=words,
        moments=moments,
        language=language,
        sample=sample,
        console_url=console_url,
        tracking=tracking,
        now=now,
    )


def _only_country(connections: Sequence[Connection]) -> str:
    countries = {one.country for one in connections}
    return countries.pop() if len(countries) == 1 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """A digest while it is rendered."""

    digest: Digest
    words: Words
    moments: Moments
    language: str
    sample: bool
    now: datetime
    console_url: str | None = None
    most: int = MOST_LINES
    tracking: TrackingPages | None = None

    def values(self, audience: Audience) -> Mapping[str, Any]:
        is_customer = audience is Audience.CUSTOMER
        own = self.words["digest"]
        listed = sorted((line for line in self.digest.lines if line.tracked), key=_urgency)
        shown, kinds = listed[: self.most], self._kinds()
        more = _not_shown(self.digest, shown)
        intro = own["intro_customer" if is_customer else "intro"]
        latest = max(one.announcement.announced_at for one in _notices(self.digest))
        return {
            "subject": fit_subject(self._subject(kinds, is_customer=is_customer)),
            "heading": own["customer" if is_customer else self.digest.reason],
            "greeting": self._greeting() if is_customer else None,
            "intro": intro.format(zone=self.moments.zone_at(latest)),
            "preheader": upper_first(kinds),
            "groups": list(self._groups(shown, is_customer=is_customer)),
            "more": self._more(more, is_customer=is_customer) if more else None,
        }

    def _more(self, more: Sequence[Notice], *, is_customer: bool) -> str:
        """How many are not shown; for the team, also how to list them."""
        own = self.words["digest"]
        if is_customer:
            return counted(own["and_more_customer"], len(more), self.language)
        text = counted(own["and_more"], len(more), self.language)
        return text.replace("{command}", _command_for(more))

    def _counts(self) -> Counter[Kind]:
        return Counter(one.announcement.kind for one in _notices(self.digest))

    def _kinds(self) -> str:
        counts = self._counts()
        forms = self.words["kinds_counted"]
        return ", ".join(
            counted(forms[kind], counts[kind], self.language)
            for kind in MOST_URGENT_FIRST
            if counts[kind]
        )

    def _subject(self, kinds: str, *, is_customer: bool) -> str:
        own, count = self.words["digest"], len(_notices(self.digest))
        form = counted(own["subject_customer" if is_customer else "subject"], count, self.language)
        marked = f"{self.words['sample_subject']} " if self.sample else ""
        subject = marked + form.replace("{kinds}", kinds)
        while len(subject) > LONGEST_SUBJECT and ", " in kinds:
            kinds = kinds.rpartition(", ")[0]
            subject = marked + form.replace("{kinds}", f"{kinds}, …")
        return subject

    def _greeting(self) -> str:
        """The time zone's name, if all orders are in the same one."""
        customers = [
            part(line.tracked.order.details, "customer")
            for line in self.digest.lines
            if line.tracked and line.tracked.erased_at is None
        ]
        spoken = {greeting(one, self.words) for one in customers}
        return spoken.pop() if len(spoken) == 1 else str(self.words["greeting_nameless"])

    def _groups(
        self, shown: Sequence[DigestLine], *, is_customer: bool
    ) -> Iterable[Mapping[str, Any]]:
        """One group for each kind, the most urgent first, sorted by date."""
        counts = self._counts()
        by_kind = {
            kind: sorted(lines, key=self._date) for kind, lines in groupby(shown, key=_kind_of)
        }
        for kind in MOST_URGENT_FIRST:
            if lines := by_kind.get(kind):
                yield {
                    "kind": str(kind),
                    "title": f"{self.words['kinds'][kind]} ({counts[kind]})",
                    "lines": [self._line(line, is_customer=is_customer) for line in lines],
                }
            if kind is Kind.OVERDUE and self.digest.overdue.orders and not is_customer:
                yield {
                    "kind": str(kind),
                    "title": self.words["digest"]["overdue"],
                    "lines": list(self._overdue()),
                }

    def _overdue(self) -> Iterable[Mapping[str, str]]:
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

    def _date(self, line: DigestLine) -> tuple[str, str]:
        return self.moments.sort_key(_shown_date(line, self.moments))

    def _line(self, line: DigestLine, *, is_customer: bool) -> dict[str, str]:
        """A line's parts; for an erased order only that it was erased."""
        key = line.notice.key
        when = self.moments.short(_shown_date(line, self.moments))
        where = None if is_customer else clean(key.connection, 100)
        if line.tracked is None or line.tracked.erased_at is not None:
            who, said, link = clean(key.order_id, 60), self.words["digest"]["erased"], ""
            page = order_url(self.console_url, line.notice)
        else:
            who, said = self._of_order(line.notice, line.tracked)
            link, page = self._link(line.notice), self._page(line.notice)
        what = " · ".join(filter(None, (said, when, where)))
        text = " ".join(filter(None, (f"{who}: {what}", link, page)))
        return {"who": who, "what": what, "link": link, "page": page or "", "text": text}

    def _page(self, notice: Notice) -> str | None:
        """Where the recipient looks at the order."""
        by_id = {one.id: one for one in self.digest.connections}
        connection = by_id.get(notice.key.connection)
        own = tracking_url(self.tracking, notice, connection, now=self.now)
        return own or order_url(self.console_url, notice)

    def _said_as_well(self, notice: Notice) -> str | None:
        """The other announcement of the same change, which has no line of its own."""
        one = notice.announcement
        if not one.joined or one.kind is not Kind.SCHEDULED:
            return None
        return str(self.words["digest"]["also_corrected" if one.correction else "also_accepted"])

    def _question(self, notice: Notice) -> str | None:
        """What a follow-up asks."""
        is_asked = notice.announcement.kind is Kind.FOLLOW_UP
        return str(self.words["digest"]["follow_up"]) if is_asked else None

    def _link(self, notice: Notice) -> str:
        """The link of a follow-up, if its connection has one."""
        if notice.announcement.kind is not Kind.FOLLOW_UP:
            return ""
        by_id = {one.id: one.follow_up for one in self.digest.connections}
        follow_up = by_id.get(notice.key.connection)
        return follow_up.link if follow_up else ""

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
        reason = _shown(details, "reason", 120) if is_shown else None
        quoted = self.words["quote"].format(text=reason) if reason else None
        said = filter(None, (what, self._said_as_well(notice), quoted, self._question(notice)))
        who = (None if is_customer else name, reference)
        return ", ".join(filter(None, who)), upper_first(" – ".join(said))


def _shown(details: Mapping[str, Any], name: str, longest: int) -> str | None:
    return shorten(clean(text_of(details.get(name)) or ""), longest) or None


def _shown_date(line: DigestLine, moments: Moments) -> str | datetime:
    """The date that a line shows: the appointment, if the line is about it."""
    one = line.notice.announcement
    if one.kind in _ABOUT_DATES and line.tracked and line.tracked.erased_at is None:
        appointment = moment_of(line.tracked.order.details.get("appointment"))
        if appointment and moments.short(appointment):
            return appointment
    return one.occurred_at


def _notices(digest: Digest) -> Sequence[Notice]:
    return [*(line.notice for line in digest.lines), *digest.beyond]


def _not_shown(digest: Digest, shown: Iterable[DigestLine]) -> Sequence[Notice]:
    ids = {line.notice.id for line in shown}
    return [notice for notice in _notices(digest) if notice.id not in ids]


def _command_for(notices: Iterable[Notice]) -> str:
    """The command that lists these orders, and others of their connections; all orders, if there
    are too many connections to name."""
    names = sorted({notice.key.connection for notice in notices})
    named = names if len(names) <= _MOST_NAMED else []
    return " ".join(["milepost orders list", *(f"--connection {name}" for name in named)])


def _kind_of(line: DigestLine) -> Kind:
    return line.notice.announcement.kind


def _urgency(line: DigestLine) -> tuple[int, datetime, str]:
    return urgency(line.notice)
