"""A resender with all of its dependencies in memory."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from milepost.common.status import Status
from milepost.notifications.eligibility_facts import Judge
from milepost.notifications.notice import Audience, Notice, NoticeId
from milepost.notifications.recipients import Choice
from milepost.notifications.resend import Resender, ResendRequest
from milepost.notifications.subscription import Subscription
from milepost.orders.order import Announcement, Kind
from tests.builders import KEY, NOON, OFFERGRID, announcement, minute, notice, report, tracked
from tests.fakes.connections import MemoryConnections
from tests.fakes.notifications import (
    MemoryNotices,
    MemoryOutbox,
    MemorySubscriptions,
    MemorySuppressions,
)
from tests.fakes.orders import MemoryOrders
from tests.fakes.requests import MemoryRequests

SAID = announcement(Kind.ACCEPTED)
SALES = Subscription(id="sales", recipient="sales@example.org", language="de")
TELLING = replace(OFFERGRID, customer_notices=frozenset({Kind.ACCEPTED, Kind.SCHEDULED}))
ONE = notice(language="de", subscription="sales", audience=Audience.TEAM)


class Desk:
    def __init__(self, *notices: Notice) -> None:
        self.log, self.orders = MemoryNotices(), MemoryOrders()
        self.emails, self.endpoints = MemoryOutbox(), MemoryOutbox()
        self.requests = MemoryRequests()
        self.suppressions = MemorySuppressions()
        self.subscriptions = MemorySubscriptions({SALES.id: SALES})
        self.connections = MemoryConnections.of(TELLING)
        self.orders.kept[KEY] = tracked(report(Status.ACCEPTED), announced=(SAID,))
        for one in notices:
            self.log.enter(Choice(notice=one), at=NOON)
            self.log.mark_sent(one, message_id="m-1", at=NOON)

    def resend(
        self,
        one: Notice = ONE,
        *,
        to: str | None = None,
        by: str = "mara",
        key: str | None = None,
        force: bool = False,
    ) -> Notice:
        resender = Resender(
            log=self.log,
            judge=Judge(
                suppressions=self.suppressions,
                subscriptions=self.subscriptions,
                orders=self.orders,
                connections=self.connections,
            ),
            requests=self.requests,
            emails=self.emails,
            endpoints=self.endpoints,
        )
        request = ResendRequest(to=to, by=by, key=key or uuid4().hex, force=force)
        return resender.resend(NoticeId.parse(one.id), request, now=minute(5))


def keep(
    desk: Desk, status: Status, *, announced: tuple[Announcement, ...], **details: Any
) -> None:
    desk.orders.kept[KEY] = tracked(report(status, **details), announced=announced)


SCHEDULED = announcement(Kind.SCHEDULED, status=Status.SCHEDULED)
RESCHEDULED = announcement(Kind.RESCHEDULED, 2, status=Status.SCHEDULED)
COMPLETED = announcement(Kind.COMPLETED, status=Status.COMPLETED)
OVERDUE = announcement(Kind.OVERDUE)
ATTENTION = announcement(Kind.ATTENTION)
AHEAD, PAST = "2026-03-09T09:00:00Z", "2026-03-02T07:00:00Z"
