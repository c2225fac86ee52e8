"""A sender and everything around it in memory, which can be killed at each step."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from milepost.notices import Audience, Notice
from milepost.order import OrderKey, TrackedOrder
from milepost.overdue_orders import OverdueNow, OverdueOrders
from milepost.recipients import Choice
from milepost.report import Status
from milepost.sending import Batch, Mail, Sender
from tests.builders import KEY, NOON, report, tracked
from tests.fakes import MemoryHolds, MemoryNotices, MemoryOrders


class Killed(BaseException):
    """The process is gone: nothing of ours runs after it."""


def nothing() -> None:
    """What happens between two steps, usually."""


@dataclass
class MemoryMailer:
    """Implements ``sending.Mailer``."""

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


@dataclass
class MemorySuppressions:
    """Implements ``sending.Suppressions``."""

    reasons: dict[tuple[str, Audience], str] = field(default_factory=dict)

    ends: dict[str, str] = field(default_factory=dict)

    def reason(self, address: str, *, audience: Audience) -> str | None:
        return self.reasons.get((address, audience))

    def ended(self, subscription_id: str | None) -> str | None:
        return self.ends.get(subscription_id or "")


class PlainRenderer:
    """Implements ``sending.Renderer`` in one line a notice."""

    def render(
        self, notice: Notice, tracked: TrackedOrder, *, unsubscribe_url: str | None = None
    ) -> Mail:
        return _mail(notice, f"{notice.announcement.kind} {tracked.order.status}", unsubscribe_url)

    def render_batch(
        self,
        batch: Batch,
        lines: Iterable[tuple[Notice, TrackedOrder | None]],
        *,
        unsubscribe_url: str | None = None,
        overdue: OverdueNow | None = None,
    ) -> Mail:
        rows = list(lines)
        late = f", {len(overdue.orders)} overdue" if overdue else ""
        text = ", ".join(str(known.order.status) if known else "erased" for _, known in rows)
        return _mail(rows[0][0], f"digest of {len(rows)}: {text}{late}", unsubscribe_url)


def _mail(notice: Notice, subject: str, url: str | None) -> Mail:
    return Mail(to=notice.recipient, subject=subject, text=url or "", html="")


class PlainLinks:
    """Implements ``sending.Links``."""

    def url_for(self, notices: Sequence[Notice]) -> str | None:
        return f"https://milepost.example.org/u/{len(notices)}"


class DyingNotices(MemoryNotices):
    """A log whose writer is killed after so many notices were marked as sent."""

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
    mailer: MemoryMailer = field(default_factory=MemoryMailer)
    overdue: OverdueOrders | None = None

    @property
    def sender(self) -> Sender:
        return Sender(
            claims=self.log,
            holds=self.holds,
            suppressions=self.suppressions,
            orders=self.orders,
            renderer=PlainRenderer(),
            links=PlainLinks(),
            mailer=self.mailer,
            overdue=self.overdue,
        )

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
        """The state of a notice, and why, or as which mail."""
        item = self.log.items[notice.id]
        return item["state"], item.get("reason") or item.get("message_id")


def raising(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail
