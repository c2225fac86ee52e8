"""Links to an order, for the team and for customers. Short: mails, digests and chats share it."""

from datetime import datetime
from typing import Protocol
from urllib.parse import quote

from milepost.connections.connection import Connection
from milepost.notifications.notice import Audience, Notice
from milepost.orders.order import OrderKey


class TrackingPages(Protocol):
    """The tracking pages of customers' orders."""

    def url_for(self, key: OrderKey, connection: Connection, *, now: datetime) -> str | None:
        """A new link; None if the connection has no tracking page."""
        ...


def tracking_url(
    pages: TrackingPages | None, notice: Notice, connection: Connection | None, *, now: datetime
) -> str | None:
    """The tracking page of a notice's order; None for the team, which has the console."""
    if pages is None or connection is None or notice.audience is not Audience.CUSTOMER:
        return None
    return pages.url_for(notice.key, connection, now=now)


def order_url(console_url: str | None, notice: Notice) -> str | None:
    """The console's page of a notice's order; None for customers, who can't sign in.

    :param console_url: where the console is, without a slash at its end
    """
    return page_url(console_url, notice.key) if notice.audience is Audience.TEAM else None


def page_url(console_url: str | None, key: OrderKey) -> str | None:
    """The console's page of an order; None without a console."""
    return f"{console_url}/orders/{quote(key.path_id, safe=':')}" if console_url else None
