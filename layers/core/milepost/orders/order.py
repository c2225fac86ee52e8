"""The order: one tracked item, and what follows from its reports.

An order is the fold of its reports (``lifecycle.fold``). What we told people of it is kept beside
it (``TrackedOrder``), since that depends on when we learned things, and the order must not.
"""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import quote, unquote

from milepost.common.status import Status
from milepost.common.timestamps import format_instant, if_in_range
from milepost.orders.details import Details
from milepost.orders.report import Report, Source
from milepost.orders.summary import Summary, Wait


class BadOrderId(ValueError):
    """Not the id of an order; the message says what one looks like."""


@dataclass(frozen=True, slots=True, order=True)
class OrderKey:
    """Which order: ids as the provider gives them, under one connection."""

    connection: str
    order_id: str
    item_id: str

    @classmethod
    def of(cls, report: Report) -> "OrderKey":
        return cls(report.connection, report.order_id, report.item_id)

    def __str__(self) -> str:
        """The key as one text, with what would be ambiguous in it quoted as in a URL."""
        ids = (self.connection, self.order_id, self.item_id)
        return "/".join(quote(part, safe="") for part in ids)

    @property
    def path_id(self) -> str:
        """The same as one segment of a URL's path, as the API names orders."""
        return str(self).replace("/", ":")

    @classmethod
    def parse(cls, text: str) -> "OrderKey":
        """Read what ``str`` or ``path_id`` wrote.

        :raises BadOrderId: when the text is neither
        """
        parts = [unquote(part) for part in text.replace("/", ":").split(":")]
        if len(parts) != len(cls.__slots__) or not all(parts):
            raise BadOrderId("an order's id looks like connection:order:item")
        return cls(*parts)


class Effect(StrEnum):
    """What a report did to its order, seen from its place in the timeline."""

    MOVED = "moved"
    CONTINUED = "continued"
    """Left a terminal status by a move that the provider documents as the usual way on."""
    CORRECTED = "corrected"
    """Left a terminal status by a move that takes back what was said before."""
    CONFIRMED = "confirmed"
    NOTED = "noted"
    UNKNOWN_STATUS = "unknown_status"
    OUT_OF_SEQUENCE = "out_of_sequence"
    LATE = "late"
    """Dated in the time that the summary stands for, which can't be folded again: it changed
    nothing."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A report in its place on the timeline, and what it did there."""

    report: Report
    effect: Effect


@dataclass(frozen=True, slots=True, order=True)
class Attention:
    """A reason why a person should look: a code for filters and a text for people."""

    code: str
    text: str

    @property
    def id(self) -> str:
        """What a person acknowledges: this reason with these facts, and no other of its code."""
        return f"{self.code}#{zlib.crc32(self.text.encode()):08x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Where one order stands, and how it got there."""

    key: OrderKey
    status: Status
    raw_status: str | None
    since: datetime
    """When ``status`` was entered, by the provider's clock."""
    details: Details
    timeline: tuple[Entry, ...]
    attention: tuple[Attention, ...] = ()
    """Reasons to look that nobody has acknowledged."""
    summary: Summary | None = None
    waited: timedelta = timedelta(0)
    """How long the present stage waited for the customer, without the wait that goes on now."""
    waiting: Wait | None = None
    """What the present stage waits for now."""
    raw_since: datetime | None = None
    """When ``raw_status`` was entered, where that was later than ``since``: a provider may have
    several raw statuses for one canonical status, and each is its own stage."""
    waited_before: timedelta = timedelta(0)
    """How long the stages before the present one waited for the customer."""

    @property
    def stage_since(self) -> datetime:
        """When the present stage began: the raw status within the canonical one."""
        return self.raw_since or self.since

    @property
    def appointment(self) -> str | None:
        """The agreed instant or day; None when it is no date that can be right."""
        return if_in_range(self.details.get("appointment"))

    @property
    def last_entry(self) -> Entry:
        return self.timeline[-1]

    @property
    def acknowledged(self) -> frozenset[str]:
        """Ids of the reasons for attention that people have handled."""
        before = self.summary.acknowledged if self.summary else frozenset[str]()
        return before | acknowledged_by(entry.report for entry in self.timeline)

    def find_report(self, report_id: str) -> Report | None:
        """The report of this id, if it is on the timeline."""
        reports = (entry.report for entry in self.timeline)
        return next((report for report in reports if report.id == report_id), None)

    @property
    def said_of_it(self) -> Iterator[Details]:
        """The details that it has now, and those that each report and the summary brought."""
        yield self.details
        yield from (entry.report.details for entry in self.timeline)
        if self.summary:
            yield self.summary.details

    def has_report(self, report_id: str) -> bool:
        """Whether it was taken in, also when the summary stands for it by now."""
        if self.summary is not None and self.summary.has_swallowed(report_id):
            return True
        return self.find_report(report_id) is not None


def acknowledged_by(reports: Iterable[Report]) -> frozenset[str]:
    """Ids of the reasons for attention that these reports say a person has handled."""
    return frozenset(
        reason
        for report in reports
        if report.source is Source.PERSON
        for reason in report.details.get("acknowledged", ())
    )


class Kind(StrEnum):
    """What an announcement is about; what subscribers choose from."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SCHEDULED = "scheduled"
    RESCHEDULED = "rescheduled"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    CORRECTION = "correction"
    REMINDER = "reminder"
    """An appointment is near or, where the team completes the order itself, has passed."""
    DELAYED = "delayed"
    """For customers: an appointment or a stage's time passed without what was to happen."""
    FOLLOW_UP = "follow_up"
    """For customers: how satisfied they are, some days after completion."""
    FAILED = "failed"
    ATTENTION = "attention"
    OVERDUE = "overdue"
    ESCALATED = "escalated"
    """Overdue for so long that the connection's contact is told, and nobody else."""
    COMMISSION_OVERDUE = "commission_overdue"
    """A commission was expected by a day and not seen as paid: for the contact alone as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """Something about an order that people are notified of.

    ``sequence`` counts an order's announcements from 1; with the order's key it is a stable id.
    ``occurred_at`` is the provider's time of what is told, ``announced_at`` when we learned it.
    """

    sequence: int
    kind: Kind
    status: Status
    previous: Status | None
    occurred_at: datetime
    announced_at: datetime
    correction: bool = False
    joined: bool = False
    """Whether one change gave several announcements, of which this is one: one mail says all."""

    def id_for(self, key: OrderKey) -> str:
        return f"{key}/{self.sequence}"


OVERDUE: Final = "overdue"
"""The code of the reason for attention that no report gives, but the time that goes by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """The mark of an order whose stage (``status``, entered at ``since``) lasts too long.

    ``allowed`` says in words what it was allowed. ``escalated_at`` is when it was given to the
    connection's contact. ``raw_status`` is the provider's own word for the stage.
    """

    status: Status
    since: datetime
    deadline: datetime
    allowed: str
    marked_at: datetime
    escalated_at: datetime | None = None
    waiting: str | None = None
    """What the order waits for from its customer, if that is what lasts too long."""
    raw_status: str | None = None

    @property
    def reason(self) -> Attention:
        stage = str(self.status).replace("_", " ")
        if self.raw_status is not None:
            stage += f" ({self.raw_status})"
        if self.waiting is not None:
            return Attention(
                OVERDUE,
                f"The order ({stage} since {format_instant(self.since)}) waits for the customer: "
                f"{self.waiting}. Allowed was {self.allowed}, until "
                f"{format_instant(self.deadline)}. Check the contact data, try another way to "
                "reach the customer, and tell the provider.",
            )
        return Attention(
            OVERDUE,
            f"The order has been {stage} since {format_instant(self.since)}; allowed was "
            f"{self.allowed}, until {format_instant(self.deadline)}. "
            "Ask the provider where it stands, and tell the customer.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedOrder:
    """An order as it is kept: with the version of its item and what was announced of it."""

    order: Order
    version: int = 0
    announced: tuple[Announcement, ...] = field(default=())
    """The last announcements, and older ones that decide what is told next."""
    erased_at: datetime | None = None
    """Set on a tombstone: the customer was erased, and nothing personal may come back."""
    overdue: Overdue | None = None
    """Set by ``overdue``; the next report that moves stage or deadline takes it away."""

    @property
    def last_sequence(self) -> int:
        """How many announcements there have been."""
        return self.announced[-1].sequence if self.announced else 0

    @property
    def attention(self) -> tuple[Attention, ...]:
        """Reasons to look that nobody has acknowledged, being overdue among them."""
        if self.overdue is None or self.overdue.reason.id in self.order.acknowledged:
            return self.order.attention
        return (*self.order.attention, self.overdue.reason)

    @property
    def shown(self) -> Order:
        """The order as people see it: being overdue is among its reasons to look."""
        return replace(self.order, attention=self.attention)
