"""The context of one mail: the notice with its order, language and time zone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from milepost.common.status import Status
from milepost.connections.connection import Connection
from milepost.notifications.mail.rendering.formatting import Moments
from milepost.notifications.mail.rendering.languages import Words, language_for, words_of
from milepost.notifications.notice import Audience, Notice
from milepost.orders.details import Details
from milepost.orders.order import Order

_DONE: Final = frozenset({Status.COMPLETED, Status.ACTIVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class MailContext:
    """The subject of one mail, and its language and time zone."""

    notice: Notice
    order: Order
    connection: Connection
    language: str
    words: Words
    moments: Moments

    @property
    def for_customer(self) -> bool:
        return self.notice.audience is Audience.CUSTOMER

    @property
    def details(self) -> Details:
        return self.order.details

    @property
    def holds(self) -> bool:
        """Whether the order still has the announced status."""
        return self.order.status is self.notice.announcement.status

    @property
    def moved_on(self) -> bool:
        """Whether the order has another status than the mail is about. Completed and active are
        equivalent."""
        return moved_on(self.notice.announcement.status, self.order.status)


def moved_on(announced: Status, now: Status) -> bool:
    """Whether an order has moved on from an announced status."""
    return now is not announced and not {now, announced} <= _DONE


def make_context(
    notice: Notice,
    order: Order,
    connection: Connection,
    *,
    now: datetime,
    time_zone: str | None = None,
) -> MailContext:
    """A notice with all the data from which its mail is rendered.

    :param now: when the mail is rendered
    :param time_zone: the recipient's (IANA name); without one, the order's
    """
    language = language_for(notice.language)
    words = words_of(language)
    moments = Moments(
        language=language,
        asked=notice.language,
        time_zone=time_zone or connection.time_zone,
        order_zone=connection.time_zone,
        country=connection.country,
        words=words,
        now=now,
    )
    return MailContext(
        notice=notice,
        order=order,
        connection=connection,
        language=language,
        words=words,
        moments=moments,
    )
