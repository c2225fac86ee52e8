"""The order: one tracked item, and what follows from its reports.

An order is the fold of its reports (``lifecycle.fold``). Its announcements are stored beside it
(``TrackedOrder``), since they depend on when reports arrived, and the order must not.
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
    """Not the id of an order; the message shows the format of one."""


@dataclass(frozen=True, slots=True, order=True)
class OrderKey:
    """Identifies an order by the provider's ids, within one connection."""

    connection: str
    order_id: str
    item_id: str

    @classmethod
    def of(cls, report: Report) -> "OrderKey":
        return cls(report.connection, report.order_id, report.item_id)

    def __str__(self) -> str:
        """The key as one text; ambiguous characters are percent-encoded."""
        ids = (self.connection, self.order_id, self.item_id)
        return "/".join(quote(part, safe="") for part in ids)

    @property
    def path_id(self) -> str:
        """The key as one segment of a URL path, as the API writes it."""
        return str(self).replace("/", ":")

    @classmethod
    def parse(cls, text: str) -> "OrderKey":
        """Parse the text that ``str`` or ``path_id`` returned.

        :raises BadOrderId: when the text is neither
        """
        parts = [unquote(part) for part in text.replace("/", ":").split(":")]
        if len(parts) != len(cls.__slots__) or not all(parts):
            raise BadOrderId("an order's id looks like connection:order:item")
        return cls(*parts)


class Effect(StrEnum):
    """The effect of a report on its order, at its position in the timeline."""

    MOVED = "moved"
    CONTINUED = "continued"
    """The order left a terminal status by a move that the provider documents as usual."""
    CORRECTED = "corrected"
    """The order left a terminal status because the provider took back what it had reported."""
    CONFIRMED = "confirmed"
    NOTED = "noted"
    UNKNOWN_STATUS = "unknown_status"
    OUT_OF_SEQUENCE = "out_of_sequence"
    LATE = "late"
    """The report is dated in the time of the summary, which can't be folded again: it changed
    nothing."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A report on the timeline, and its effect."""

    report: Report
    effect: Effect


@dataclass(frozen=True, slots=True, order=True)
class Attention:
    """A reason for attention: a code for filters and a text for people."""

    code: str
    text: str

    @property
    def id(self) -> str:
        """The id that a person acknowledges: it identifies the reason with these facts, not every
        reason with its code."""
        return f"{self.code}#{zlib.crc32(self.text.encode()):08x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order: its current status and its timeline."""

    key: OrderKey
    status: Status
    raw_status: str | None
    since: datetime
    """When the order entered ``status``, by the provider's clock."""
    details: Details
    timeline: tuple[Entry, ...]
    attention: tuple[Attention, ...] = ()
    """Reasons for attention that nobody has acknowledged."""
    summary: Summary | None = None
    waited: timedelta = timedelta(0)
    """How long the present stage has waited for the customer, without the present wait."""
    waiting: Wait | None = None
    """What the present stage waits for now."""
    raw_since: datetime | None = None
    """When the order entered ``raw_status``, if later than ``since``: a provider may have several
    raw statuses for one canonical status, and each is a stage of its own."""
    waited_before: timedelta = timedelta(0)
    """How long the stages before the present one waited for the customer."""

    @property
    def stage_since(self) -> datetime:
        """When the current stage began: when the order entered its current raw status."""
        return self.raw_since or self.since

    @property
    def appointment(self) -> str | None:
        """The agreed instant or day; None if the date can't be correct."""
        return if_in_range(self.details.get("appointment"))

    @property
    def last_entry(self) -> Entry:
        return self.timeline[-1]

    @property
    def acknowledged(self) -> frozenset[str]:
        """Ids of the reasons for attention that people have acknowledged."""
        before = self.summary.acknowledged if self.summary else frozenset[str]()
        return before | acknowledged_by(entry.report for entry in self.timeline)

    def find_report(self, report_id: str) -> Report | None:
        """The report with this id, if it is on the timeline."""
        reports = (entry.report for entry in self.timeline)
        return next((report for report in reports if report.id == report_id), None)

    @property
    def said_of_it(self) -> Iterator[Details]:
        """The current details, and the details of each report and of the summary."""
        yield self.details
        yield from (entry.report.details for entry in self.timeline)
        if self.summary:
            yield self.summary.details

    def has_report(self, report_id: str) -> bool:
        """Whether the order has this report, also if it has been folded into the summary."""
        if self.summary is not None and self.summary.has_swallowed(report_id):
            return True
        return self.find_report(report_id) is not None


def acknowledged_by(reports: Iterable[Report]) -> frozenset[str]:
    """Ids of the reasons for attention that people have acknowledged, according to these
    reports."""
    return frozenset(
        reason
        for report in reports
        if report.source is Source.PERSON
        for reason in report.details.get("acknowledged", ())
    )


class Kind(StrEnum):
    """The kind of an announcement. Subscribers choose kinds."""

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
    """For customers: an appointment or a stage's deadline passed without the expected progress."""
    FOLLOW_UP = "follow_up"
    """For customers: a question how satisfied they are, some days after completion."""
    FAILED = "failed"
    ATTENTION = "attention"
    OVERDUE = "overdue"
    ESCALATED = "escalated"
    """Overdue for so long that the connection's contact is notified, and only the contact."""
    COMMISSION_OVERDUE = "commission_overdue"
    """A commission was due and is not known to be paid; also only for the contact."""


_ENDINGS: Final = frozenset({Kind.REJECTED, Kind.FAILED, Kind.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """Something about an order that people are notified of.

    ``sequence`` counts an order's announcements from 1; with the order's key it is a stable id.
    ``occurred_at`` is the time of the change by the provider's clock, ``announced_at`` when we
    recorded it.
    """

    sequence: int
    kind: Kind
    status: Status
    previous: Status | None
    occurred_at: datetime
    announced_at: datetime
    correction: bool = False
    joined: bool = False
    """Whether this is one of several announcements that share one mail: of one change, a first
    appointment that followed ``scheduled`` at once, or a reason that followed ``rejected``."""

    @property
    def is_date_of_schedule(self) -> bool:
        """Whether it adds the date to ``scheduled``, whose mail then has the date as well."""
        return self.joined and self.kind is Kind.RESCHEDULED

    @property
    def is_reason_of_ending(self) -> bool:
        """Whether it adds the reason to a rejection, failure or cancellation that was announced
        without one."""
        return self.kind in _ENDINGS and self.previous is self.status

    def id_for(self, key: OrderKey) -> str:
        return f"{key}/{self.sequence}"


OVERDUE: Final = "overdue"
"""The code of the one reason for attention that follows from time and not from a report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """The overdue mark: the stage (``status``, entered at ``since``) lasts too long.

    ``allowed`` is the allowed time as text. ``escalated_at`` is when the order was escalated to the
    connection's contact. ``raw_status`` is the provider's own word for the stage.
    """

    status: Status
    since: datetime
    deadline: datetime
    allowed: str
    marked_at: datetime
    escalated_at: datetime | None = None
    waiting: str | None = None
    """What the order waits for from its customer, if it is the wait that lasts too long."""
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
    """An order in its stored form: with its item's version and its announcements."""

    order: Order
    version: int = 0
    announced: tuple[Announcement, ...] = field(default=())
    """The last announcements, and older ones that later announcements depend on."""
    erased_at: datetime | None = None
    """Set on a tombstone: the customer was erased, and no personal data may be stored again."""
    overdue: Overdue | None = None
    """Set by ``overdue``; the next report that changes stage or deadline removes it."""

    @property
    def last_sequence(self) -> int:
        """The sequence number of the last announcement; 0 if there is none."""
        return self.announced[-1].sequence if self.announced else 0

    @property
    def attention(self) -> tuple[Attention, ...]:
        """Reasons for attention that nobody has acknowledged, including being overdue."""
        if self.overdue is None or self.overdue.reason.id in self.order.acknowledged:
            return self.order.attention
        return (*self.order.attention, self.overdue.reason)

    @property
    def shown(self) -> Order:
        """The order in the form that is shown to people: being overdue is one of its reasons for
        attention.
        """
        return replace(self.order, attention=self.attention)
