"""Digests: many notices in one mail, as a list that can be scanned."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

from milepost.batch_sending import MOST_SHOWN
from milepost.notices import MOST_URGENT_FIRST, Audience, Notice, urgency
from milepost.order import Kind, TrackedOrder
from milepost.overdue_orders import OverdueNow
from milepost.rendering.environments import environment
from milepost.rendering.moments import Moments
from milepost.rendering.plain import clean, fit_subject, shorten, tidy, upper_first
from milepost.rendering.words import Words, language_for, words_of

MOST_LINES: Final = MOST_SHOWN
_ABOUT_DATES: Final = frozenset({Kind.SCHEDULED, Kind.RESCHEDULED})
_ABOUT_REASONS: Final = frozenset({Kind.REJECTED, Kind.FAILED, Kind.CANCELLED})


class DigestReason(StrEnum):
    """Why a recipient gets one mail in place of many."""

    HOURLY = "hourly"
    DAILY = "daily"
    QUIET_HOURS = "quiet_hours"
    MANY = "many"
    TOGETHER = "together"
    """For a reason that isn't known: it says only that these came together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestLine:
    """A notice in a digest; ``tracked`` is None when its order was erased since."""

    notice: Notice
    tracked: TrackedOrder | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What one recipient is told of in one mail; times are shown in ``time_zone`` (IANA name)."""

    recipient: str
    language: str
    time_zone: str
    reason: DigestReason
    lines: tuple[DigestLine, ...]
    beyond: tuple[Notice, ...] = ()
    """Notices that are counted, but not shown: their orders were judged, and not kept."""
    overdue: OverdueNow = field(default_factory=OverdueNow)
    """What is overdue besides, of the recipient's connections; never for customers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedDigest:
    subject: str
    text: str
    html: str


def compose_digest(digest: Digest, *, unsubscribe_url: str | None) -> ComposedDigest:
    """The parts of a digest's mail; of more than 200 lines the most urgent are shown.

    :raises ValueError: without any line
    """
    if not digest.lines:
        raise ValueError("a digest needs at least one line")
    language = language_for(digest.language)
    words = words_of(language)
    moments = Moments(
        language=language, asked=digest.language, time_zone=digest.time_zone, words=words
    )
    own = words["digest"]
    audience = digest.lines[0].notice.audience
    intro = own["intro_customer" if audience is Audience.CUSTOMER else "intro"]
    subject = fit_subject(_subject(digest, words))
    rest = max(len(digest.lines) - MOST_LINES, 0) + len(digest.beyond)
    latest = max(notice.announcement.announced_at for notice in _notices(digest))
    values = {
        "language": language,
        "words": words,
        "audience": str(audience),
        "sample": False,
        "subject": subject,
        "heading": own[digest.reason],
        "intro": intro.format(zone=moments.zone_at(latest)),
        "groups": list(_groups(digest, words, moments)),
        "overdue": list(_overdue(digest.overdue, words, moments)),
        "more": own["and_more"].format(count=rest) if rest > 0 else None,
        "unsubscribe_url": unsubscribe_url,
    }
    text = environment(html=False).get_template("digest.txt.j2").render(values)
    html = environment(html=True).get_template("digest.html.j2").render(values)
    return ComposedDigest(subject=subject, text=tidy(text), html=html.strip() + "\n")


def _overdue(overdue: OverdueNow, words: Words, moments: Moments) -> Iterable[str]:
    own = words["digest"]
    for one in overdue.orders:
        yield own["overdue_line"].format(
            reference=clean(one.reference or one.key.order_id, 60),
            connection=clean(one.key.connection, 100),
            status=words["statuses"][one.status],
            since=moments.short(one.since),
        )
    if overdue.more:
        yield own["overdue_more"]


def _subject(digest: Digest, words: Words) -> str:
    counts = Counter(notice.announcement.kind for notice in _notices(digest))
    present = [kind for kind in MOST_URGENT_FIRST if counts[kind]]
    named = (f"{counts[kind]} {words['kinds'][kind]}" for kind in present)
    count = sum(counts.values())
    form = words["digest"]["subject" if count > 1 else "subject_one"]
    return str(form.format(count=count, kinds=", ".join(named)))


def _notices(digest: Digest) -> tuple[Notice, ...]:
    return (*(line.notice for line in digest.lines), *digest.beyond)


def _groups(digest: Digest, words: Words, moments: Moments) -> Iterable[Mapping[str, Any]]:
    every = sorted(digest.lines, key=_urgency)
    counts = Counter(notice.key.connection for notice in _notices(digest))
    shown = sorted(every[:MOST_LINES], key=_connection)
    for connection, own in groupby(shown, key=_connection):
        yield {
            "connection": clean(connection, 100),
            "count": counts[connection],
            "lines": [_line(line, words, moments) for line in own],
        }


def _connection(line: DigestLine) -> str:
    return line.notice.key.connection


def _urgency(line: DigestLine) -> tuple[int, Any, str]:
    return urgency(line.notice)


def _line(line: DigestLine, words: Words, moments: Moments) -> dict[str, str]:
    """A line's parts; of an erased order nothing but that it was erased."""
    one = line.notice.announcement
    shown = {
        "kind": str(one.kind),
        "kind_name": words["kinds"][one.kind],
        "when": moments.short(one.occurred_at) or "",
    }
    if line.tracked is None or line.tracked.erased_at is not None:
        order_id = clean(line.notice.key.order_id, 60)
        return {**shown, "who": order_id, "what": words["digest"]["erased"]}
    return {**shown, **_of_order(line.notice, line.tracked, words, moments)}


def _of_order(
    notice: Notice, tracked: TrackedOrder, words: Words, moments: Moments
) -> dict[str, str]:
    details, kind = tracked.order.details, notice.announcement.kind
    customer, offer = details.get("customer", {}), details.get("offer", {})
    service = details.get("service_type", "")
    name = customer.get("business") or customer.get("name")
    who = (name, details.get("reference") or notice.key.order_id)
    what = offer.get("name") or words["services"].get(service) or service or words["some_service"]
    reason = details.get("reason") if kind in _ABOUT_REASONS else None
    said = (clean(what, 60), clean(reason, 120) if reason else None)
    of_order = {
        "who": ", ".join(shorten(clean(part), 40) for part in who if part),
        "what": upper_first(": ".join(part for part in said if part)),
    }
    appointment = moments.short(details.get("appointment")) if kind in _ABOUT_DATES else None
    return {**of_order, "when": appointment} if appointment else of_order
