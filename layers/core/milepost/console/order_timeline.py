"""One timeline of an order: reports, announcements, notices, and actions of people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from milepost.api.notice_schema import NoticeView
from milepost.api.order_schema import EntryView, OrderView
from milepost.common.status import Status
from milepost.console.labels import label, recipient_name, words
from milepost.notifications.notice import Channel, State
from milepost.orders.report import Source

_TONES: Final[Mapping[State, str]] = {
    State.DELIVERED: "good",
    State.BOUNCED: "bad",
    State.COMPLAINED: "bad",
    State.FAILED: "bad",
    State.SUPPRESSED: "warn",
    State.SKIPPED: "warn",
}
_CHANNELS: Final[Mapping[Channel, str]] = {
    Channel.EMAIL: "Mail",
    Channel.HTTPS: "Webhook",
    Channel.SLACK: "Slack",
    Channel.TEAMS: "Microsoft Teams",
    Channel.SNS: "SNS topic",
    Channel.EVENT_BUS: "Event bus",
}
_SHORT: Final = 300
"""Maximum length of a fact on the timeline; the complete text is among the facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event of an order."""

    at: str
    who: str
    """The kind of event: ``provider``, ``person``, ``announced`` or ``notice``."""
    title: str
    status: Status | None = None
    text: str = ""
    more: str = ""
    facts: Mapping[str, str] | None = None
    notice: NoticeView | None = None
    tone: str = ""


def timeline_of(order: OrderView) -> list[Event]:
    """Everything that happened, the latest first."""
    events = [*map(_entry, order.timeline), *_announcements(order), *map(_notice, order.notices)]
    return sorted(events, key=lambda one: one.at, reverse=True)


def _entry(entry: EntryView) -> Event:
    if entry.source == Source.PERSON:
        return _deed(entry)
    title = label(entry.raw_status or entry.status or "Facts")
    learned = f"by {entry.source}"
    return Event(
        at=entry.at,
        who="provider",
        title=title,
        status=entry.status,
        text="" if entry.effect in ("moved", "confirmed") else label(entry.effect),
        more=learned,
        facts=facts_of(entry.details),
    )


def _deed(entry: EntryView) -> Event:
    result = f": {words(entry.result)}" if entry.result and entry.action != "note" else ""
    said = [entry.note or "", f"The provider answered: {entry.outcome}" if entry.outcome else ""]
    return Event(
        at=entry.at,
        who="person",
        title=f"{label(entry.action or 'Note')}{result}",
        status=entry.status,
        text="\n".join(filter(None, said)),
        more=f"by {entry.person}" if entry.person else "",
        facts={"Planned for": entry.planned_for} if entry.planned_for else None,
    )


def _announcements(order: OrderView) -> Iterator[Event]:
    for one in order.announced:
        notices = [notice for notice in order.notices if notice.sequence == one.sequence]
        number = (
            f"{len(notices)} notice{'s' if len(notices) != 1 else ''}"
            if notices
            else "nobody was notified"
        )
        yield Event(
            at=one.announced_at,
            who="announced",
            title=f"Announced: {words(one.kind)}",
            more=number,
        )


def _notice(notice: NoticeView) -> Event:
    way = _CHANNELS.get(notice.channel, label(notice.channel))
    again = ", sent again" if notice.resend_of else ""
    asked = f" by {notice.requested_by}" if notice.requested_by else ""
    return Event(
        at=notice.times.get(State.QUEUED) or notice.at or "",
        who="notice",
        title=f"{way} to {recipient_name(notice.recipient) or f'the {notice.audience}'}",
        text=f"Why: {words(notice.reason)}" if notice.reason else "",
        more=f"{words(notice.kind)}, for the {notice.audience}{again}{asked}",
        notice=notice,
        tone=_TONES.get(notice.state, "grey"),
    )


def facts_of(details: Mapping[str, Any], *, longest: int = _SHORT) -> dict[str, str]:
    """Facts as lines: each name with its value as text."""
    return {
        label(name): text if len(text) <= longest else f"{text[:longest]}…"
        for name, value in details.items()
        if (text := text_of(value))
    }


def text_of(value: Any) -> str:
    """One fact as text, with its parts in one line."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Mapping():
            said = {name: text_of(one) for name, one in value.items()}
            return ", ".join(f"{words(name)}: {text}" for name, text in said.items() if text)
        case list() | tuple():
            return "; ".join(filter(None, map(text_of, value)))
    return str(value)
