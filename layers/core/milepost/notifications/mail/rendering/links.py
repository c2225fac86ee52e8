"""Links to an order for the team. Short: two functions."""

from urllib.parse import quote

from milepost.notifications.notice import Audience, Notice
from milepost.orders.order import OrderKey


def order_url(console_url: str | None, notice: Notice) -> str | None:
    """The console's page of a notice's order; None for customers, who can't sign in there.

    :param console_url: where the console is, without a slash at its end
    """
    return page_url(console_url, notice.key) if notice.audience is Audience.TEAM else None


def page_url(console_url: str | None, key: OrderKey) -> str | None:
    """The console's page of an order; None without a console."""
    return f"{console_url}/orders/{quote(key.path_id, safe=':')}" if console_url else None
