"""Digests: many notices in one mail, as a list."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from milepost.connections.connection import Connection
from milepost.notifications.mail.held_notices import MOST_SHOWN
from milepost.notifications.mail.rendering.digest_lines import Digest, DigestLine, LineWriter
from milepost.notifications.mail.rendering.fact_readers import part
from milepost.notifications.mail.rendering.facts import greeting
from milepost.notifications.mail.rendering.forecast_facts import Forecasts
from milepost.notifications.mail.rendering.formatting import Moments
from milepost.notifications.mail.rendering.jinja import environment
from milepost.notifications.mail.rendering.languages import Words, counted, language_for, words_of
from milepost.notifications.mail.rendering.links import (
    TrackingPages,
)
from milepost.notifications.mail.rendering.mail_footer import MailEnds, mail_ends, reason_for_digest
from milepost.notifications.mail.rendering.sanitize import (
    LONGEST_SUBJECT,
    fit_subject,
    tidy,
    upper_first,
)
from milepost.notifications.notice import MOST_URGENT_FIRST, Audience, Notice, urgency
from milepost.orders.order import Kind

MOST_LINES: Final = MOST_SHOWN
_MOST_NAMED: Final = 5
"""Maximum number of connections in a command in a mail."""


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
    forecasts: Forecasts | None = None,
) -> ComposedDigest:
    """The parts of a digest's mail; of more than 200 lines, only the most urgent are shown.

    :param console_url: where the team looks at orders
    :param tracking: the pages on which customers look at theirs
    :param forecasts: of the connections, for the team
    :raises ValueError: without any line
    """
    form = _form(digest, now=now, sample=sample, console_url=console_url)
    form = replace(form, tracking=tracking, forecasts=forecasts)
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
    """The texts of a digest for a message that isn't a mail: ``subject``, ``heading``, ``intro``,
    ``groups`` of lines, and the number of ``more`` lines.

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
        now=now,
    )


def _only_country(connections: Sequence[Connection]) -> str:
    countries = {one.country for one in connections}
    return countries.pop() if len(countries) == 1 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """A digest during rendering."""

    digest: Digest
    words: Words
    moments: Moments
    language: str
    sample: bool
    now: datetime
    console_url: str | None = None
    most: int = MOST_LINES
    tracking: TrackingPages | None = None
    forecasts: Forecasts | None = None

    @property
    def _lines(self) -> LineWriter:
        return LineWriter(
            digest=self.digest,
            words=self.words,
            moments=self.moments,
            now=self.now,
            console_url=self.console_url,
            tracking=self.tracking,
            forecasts=self.forecasts,
        )

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
            "intro": intro.format(zone=self._zone(shown, latest, is_customer=is_customer)),
            "preheader": upper_first(kinds),
            "groups": list(self._groups(shown, is_customer=is_customer)),
            "more": self._more(more, is_customer=is_customer) if more else None,
        }

    def _zone(self, shown: Sequence[DigestLine], latest: datetime, *, is_customer: bool) -> str:
        """The time zone of all times in the list."""
        overdue = () if is_customer else self.digest.overdue.orders
        times = [*map(self._lines.shown_date, shown), *(one.since for one in overdue)]
        return self.moments.zone_of(times, otherwise=latest)

    def _more(self, more: Sequence[Notice], *, is_customer: bool) -> str:
        """How many orders are not shown; for the team, also how to list them."""
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
        """The customer's name, if all orders are of the same customer."""
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
        counts, write = self._counts(), self._lines
        by_kind = {
            kind: sorted(lines, key=write.date) for kind, lines in groupby(shown, key=_kind_of)
        }
        for kind in MOST_URGENT_FIRST:
            if lines := by_kind.get(kind):
                yield {
                    "kind": str(kind),
                    "title": f"{self.words['kinds'][kind]} ({counts[kind]})",
                    "lines": [write.line(line, is_customer=is_customer) for line in lines],
                }
            if kind is Kind.OVERDUE and self.digest.overdue.orders and not is_customer:
                yield {
                    "kind": str(kind),
                    "title": self.words["digest"]["overdue"],
                    "lines": list(write.overdue()),
                }


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
