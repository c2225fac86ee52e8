"""A sender and its dependencies in memory, which can be killed at each step."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from milepost.common.status import Status
from milepost.notifications.claims import Batch
from milepost.notifications.eligibility_facts import Judge
from milepost.notifications.mail.held_notices import HeldNoticesSender
from milepost.notifications.mail.message import Mail
from milepost.notifications.mail.sender import Sender
from milepost.notifications.notice import Notice
from milepost.notifications.recipients import Choice
from milepost.notifications.subscription import DigestReason, Subscription
from milepost.orders.order import OrderKey, TrackedOrder
from milepost.orders.overdue_list import OverdueNow, OverdueOrders
from tests.builders import KEY, NOON, OFFERGRID, RETAIL, report, tracked
from tests.fakes.connections import MemoryConnections
from tests.fakes.notifications import (
    MemoryHolds,
    MemoryNotices,
    MemorySubscriptions,
    MemorySuppressions,
)
from tests.fakes.orders import MemoryOrders


class Killed(BaseException):
    """The process is killed: none of its code runs after that."""


def nothing() -> None:
    """The default between two steps: nothing happens."""


@dataclass
class MemoryMailer:
    """Implements ``sender.Mailer``."""

    sent: list[tuple[Mail, Sequence[Notice]]] = field(default_factory=list)
    before: Callable[[], None] = nothing
    """Done once before the next mail is taken."""
    after: Callable[[], None] = nothing
    """Done once after it is taken, and before its id is known to anybody."""

    def send(self, mail: Mail, *, notices: Sequence[Notice], at: datetime) -> str:
        before, self.before = self.before, nothing
        before()
        self.sent.append((mail, tuple(notices)))
        after, self.after = self.after, nothing
        after()
        return f"ses-{len(self.sent)}"

    @property
    def told(self) -> list[str]:
        """The ids of all notices of all mails."""
        return [notice.id for _, notices in self.sent for notice in notices]


REASON = "x-reason"
"""The header in which a digest says why it is one."""


class PlainRenderer:
    """Implements ``sender.Renderer``: one line for each notice, with the language and zone as the
    HTML.
    """

    def render(
        self,
        notice: Notice,
        tracked: TrackedOrder,
        *,
        time_zone: str | None = None,
        unsubscribe_url: str | None = None,
    ) -> Mail:
        _require_writable(tracked)
        subject = f"{notice.announcement.kind} {tracked.order.status}"
        return _mail(notice, subject, unsubscribe_url, time_zone)

    def render_batch(
        self,
        lines: Iterable[tuple[Notice, TrackedOrder]],
        *,
        time_zone: str,
        reason: DigestReason,
        beyond: Sequence[Notice] = (),
        unsubscribe_url: str | None = None,
        overdue: OverdueNow | None = None,
    ) -> Mail:
        rows = list(lines)
        for _, known in rows:
            _require_writable(known)
        late = f", {len(overdue.orders)} overdue" if overdue else ""
        more = f", and {len(beyond)} more" if beyond else ""
        text = ", ".join(str(known.order.status) for _, known in rows)
        subject = f"digest of {len(rows) + len(beyond)}: {text}{more}{late}"
        mail = _mail(rows[0][0], subject, unsubscribe_url, time_zone)
        return replace(mail, headers={REASON: str(reason)})


UNWRITABLE = "unwritable"
"""The reference of an order of which no mail can be written."""


def _require_writable(tracked: TrackedOrder) -> None:
    if tracked.order.details.get("reference") == UNWRITABLE:
        raise OverflowError("a date that no calendar has")


def _mail(notice: Notice, subject: str, url: str | None, time_zone: str | None) -> Mail:
    voice = f"{notice.language} {time_zone}"
    return Mail(to=notice.recipient, subject=subject, text=url or "", html=voice)


class PlainLinks:
    """Implements ``sender.Links``."""

    def url_for(self, notices: Sequence[Notice]) -> str | None:
        return f"https://milepost.example.org/u/{len(notices)}"


class DyingNotices(MemoryNotices):
    """A log whose writer is killed after a number of notices were marked as sent."""

    marks_left = 10**6

    def _mark_sent(self, notice: Notice, *, at: datetime, **more: str) -> None:
        if not self.marks_left:
            self.marks_left = 10**6
            raise Killed
        self.marks_left -= 1
        super()._mark_sent(notice, at=at, **more)


@dataclass
class Desk:
    log: DyingNotices = field(default_factory=DyingNotices)
    holds: MemoryHolds = field(default_factory=MemoryHolds)
    suppressions: MemorySuppressions = field(default_factory=MemorySuppressions)
    orders: MemoryOrders = field(default_factory=MemoryOrders)
    subscriptions: MemorySubscriptions = field(default_factory=MemorySubscriptions)
    connections: MemoryConnections = field(
        default_factory=lambda: MemoryConnections.of(OFFERGRID, RETAIL)
    )
    mailer: MemoryMailer = field(default_factory=MemoryMailer)
    overdue: OverdueOrders | None = None

    @property
    def judge(self) -> Judge:
        return Judge(
            suppressions=self.suppressions,
            subscriptions=self.subscriptions,
            orders=self.orders,
            connections=self.connections,
        )

    @property
    def sender(self) -> Sender:
        return Sender(
            claims=self.log,
            judge=self.judge,
            renderer=PlainRenderer(),
            links=PlainLinks(),
            mailer=self.mailer,
        )

    @property
    def batches(self) -> HeldNoticesSender:
        return HeldNoticesSender(
            claims=self.log,
            holds=self.holds,
            judge=self.judge,
            renderer=PlainRenderer(),
            links=PlainLinks(),
            mailer=self.mailer,
            overdue=self.overdue,
        )

    def subscribe(self, *subscriptions: Subscription) -> None:
        for one in subscriptions:
            self.subscriptions.kept[one.id] = one

    def keep_order(self, status: Status = Status.ACCEPTED, *, key: OrderKey = KEY) -> None:
        self.orders.kept[key] = tracked(report(status, key=key))

    def queue(self, *notices: Notice) -> None:
        for one in notices:
            self.log.enter(Choice(notice=one), at=NOON)

    def hold(self, *notices: Notice, due_at: datetime) -> Batch:
        for one in notices:
            self.log.enter(Choice(notice=one, due_at=due_at), at=NOON)
            self.holds.hold(one, due_at=due_at)
        return Batch.of(notices[0], due_at=due_at)

    def entry(self, notice: Notice) -> tuple[str, str | None]:
        """The state of a notice, with its reason or its mail's id."""
        item = self.log.items[notice.id]
        return item["state"], item.get("reason") or item.get("message_id")


def raising(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail
