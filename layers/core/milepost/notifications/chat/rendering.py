"""Renders notices and digests as messages to a chat, with the texts of mails to the team.

The platform's form is in ``slack`` and ``teams``; which facts may be shown at all, in
``shown_facts``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from milepost.connections.connection import Connections, existing_connections
from milepost.notifications.chat.message import Button, ChatMessage, Line, Section
from milepost.notifications.chat.shown_facts import disclosed
from milepost.notifications.mail.rendering.compose import compose_said
from milepost.notifications.mail.rendering.context import MailContext, make_context
from milepost.notifications.mail.rendering.digest import digest_values
from milepost.notifications.mail.rendering.digest_lines import Digest, DigestLine
from milepost.notifications.mail.rendering.facts import mail_values
from milepost.notifications.mail.rendering.jinja import environment, template_for
from milepost.notifications.mail.rendering.links import order_url
from milepost.notifications.mail.rendering.samples import WRITTEN_AT, sample, sample_digest
from milepost.notifications.mail.rendering.sanitize import upper_first
from milepost.notifications.notice import Audience, Notice
from milepost.notifications.subscription import DigestReason
from milepost.orders.order import Kind, TrackedOrder
from milepost.orders.overdue_list import OverdueNow

MOST_LINES: Final = 30
"""Lines of a digest, the most urgent; the others are counted. A chat's message is short."""


class Clock(Protocol):
    def __call__(self) -> datetime: ...


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRenderer:
    """Implements ``sender.Renderer`` for chats.

    It is given orders that are disclosed already. Texts of a connection's own are those of its
    mails, and aren't used here.
    """

    connections: Connections
    console_url: str | None = None
    clock: Clock = _utc_now

    def render(
        self,
        notice: Notice,
        tracked: TrackedOrder,
        *,
        time_zone: str | None = None,
        unsubscribe_url: str | None = None,  # noqa: ARG002
    ) -> ChatMessage:
        """The message of a notice, of the order as it is now.

        :param time_zone: the recipient's (IANA name); without one, the connection's
        :param unsubscribe_url: not used: whoever manages a subscription ends it
        :raises UnknownConnection: when the order's connection was removed
        :raises LookupError: when the team isn't notified of this kind
        """
        context = make_context(
            notice,
            tracked.order,
            self.connections.get(notice.key.connection),
            now=self.clock(),
            time_zone=time_zone,
        )
        return _message(context, order_url(self.console_url, notice))

    def render_batch(
        self,
        lines: Iterable[tuple[Notice, TrackedOrder | None]],
        *,
        time_zone: str,
        reason: DigestReason,
        beyond: Sequence[Notice] = (),
        unsubscribe_url: str | None = None,  # noqa: ARG002
        overdue: OverdueNow | None = None,
    ) -> ChatMessage:
        """One message for several held notices, in the language of the first line.

        :raises UnknownConnection: when none of the lines' connections is applied any more
        :raises ValueError: without any line
        """
        listed = tuple(DigestLine(notice=notice, tracked=tracked) for notice, tracked in lines)
        if not listed:
            raise ValueError("a digest needs at least one line")
        first = listed[0].notice
        digest = Digest(
            recipient=first.recipient,
            language=first.language,
            time_zone=time_zone,
            reason=reason,
            lines=listed,
            beyond=tuple(beyond),
            overdue=overdue or OverdueNow(),
            connections=existing_connections(
                self.connections, [one.notice.key.connection for one in listed]
            ),
        )
        return _digest_message(digest, now=self.clock(), console_url=self.console_url)

    def preview(
        self, kind: str, *, connection: str, language: str, with_name: bool = False
    ) -> ChatMessage:
        """The message of an invented order, marked as a sample.

        :raises UnknownConnection: when there is no such connection
        :raises LookupError: when the team isn't notified of this kind
        """
        found = self.connections.get(connection)
        template_for(kind, Audience.TEAM, language)
        notice, tracked = sample(Kind(kind), Audience.TEAM, found, language)
        context = make_context(notice, tracked.order, found, now=WRITTEN_AT)
        withheld = context.words["withheld_in_chats"]
        order = disclosed(tracked.order, with_name=with_name, withheld=withheld)
        shown = replace(context, order=order)
        return _message(shown, order_url(self.console_url, notice), is_sample=True)

    def preview_digest(
        self, reason: DigestReason, *, connection: str, language: str, with_name: bool = False
    ) -> ChatMessage:
        """A digest of invented orders, marked as a sample.

        :raises UnknownConnection: when there is no such connection
        """
        found = self.connections.get(connection)
        made = sample_digest(reason, Audience.TEAM, found, language)
        lines = tuple(_disclosed_line(line, with_name=with_name) for line in made.lines)
        digest = replace(made, lines=lines)
        return _digest_message(digest, now=WRITTEN_AT, console_url=self.console_url, is_sample=True)


def _disclosed_line(line: DigestLine, *, with_name: bool) -> DigestLine:
    if line.tracked is None:
        return line
    order = disclosed(line.tracked.order, with_name=with_name, withheld="")
    return replace(line, tracked=replace(line.tracked, order=order))


def _message(context: MailContext, url: str | None, *, is_sample: bool = False) -> ChatMessage:
    words, notice = context.words, context.notice
    values = {**mail_values(context), "sample": is_sample}
    name = template_for(str(notice.announcement.kind), str(notice.audience), notice.language)
    ours = {**values, "default": name}
    said = compose_said(environment(html=False).get_template(name), ours)
    first = [words["sample_banner"]] if is_sample else []
    current = [values["stands_now"]] if values["stands_now"] else []
    sections = [
        _texts(words["next_heading"], said.after),
        _texts(words["open_heading"], values["open_points"]),
        _facts(context, values),
    ]
    return ChatMessage(
        title=said.subject,
        paragraphs=tuple(str(one) for one in (*first, *current, *said.lead)),
        sections=tuple(one for one in sections if one.lines),
        button=Button(text=words["order_link"], url=url) if url else None,
    )


def _texts(heading: str, texts: Iterable[str]) -> Section:
    return Section(heading=heading, lines=tuple(Line(text=str(one)) for one in texts))


def _facts(context: MailContext, values: Mapping[str, Any]) -> Section:
    """The current status first, since a chat shows it nowhere else."""
    words = context.words
    label = words["labels"]["status_now"]
    status = upper_first(words["statuses"][context.order.status])
    rows = [(label, status), *(row for row in values["facts"] if row[0] != label)]
    lines = tuple(Line(head=f"{name}:", text=str(value)) for name, value in rows)
    return Section(heading=words["facts_heading"], lines=lines)


def _digest_message(
    digest: Digest, *, now: datetime, console_url: str | None, is_sample: bool = False
) -> ChatMessage:
    values = digest_values(
        digest, now=now, console_url=console_url, most=MOST_LINES, sample=is_sample
    )
    groups = [
        Section(
            heading=group["title"],
            lines=tuple(_digest_line(line) for line in group["lines"]),
            is_list=True,
        )
        for group in values["groups"]
    ]
    more = [Section(lines=(Line(text=values["more"]),))] if values["more"] else []
    return ChatMessage(
        title=values["subject"],
        paragraphs=(f"{values['heading']}. {values['intro']}",),
        sections=(*groups, *more),
    )


def _digest_line(line: Mapping[str, str]) -> Line:
    head = f"{line['who']}:" if line["who"] else ""
    return Line(head=head, text=line["what"], url=line["page"] or None)
