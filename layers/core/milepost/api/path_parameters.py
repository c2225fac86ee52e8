"""Ids in paths.

An HTTP API decodes every percent-encoded character of a path except the percent sign itself.
Decoding that one as well gives the id that the client meant.
"""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path

from milepost.api import text_patterns
from milepost.api.dependencies import Services
from milepost.api.problems import Conflict, NotFound
from milepost.notifications.notice import NoticeId
from milepost.orders.order import BadOrderId, OrderKey
from milepost.queries.order_lookup import AmbiguousOrder, OrderLookup, UnknownOrder

OrderPath = Annotated[
    str,
    Path(
        description="An order: `connection:order:item`; if the order has one "
        "item, also `connection:order`, the provider's id, or a "
        "reference.",
        min_length=1,
        max_length=1000,
    ),
]
GroupPath = Annotated[
    str,
    Path(
        description="A group's id: `connection:order`.",
        pattern=text_patterns.GROUP_ID,
        max_length=1000,
    ),
]
NoticePath = Annotated[
    str,
    Path(
        description="A notice's id, as lists of notices show it.",
        pattern=text_patterns.NOTICE_ID,
        max_length=1000,
    ),
]


def decoded(segment: str) -> str:
    """A segment of the path, decoded as the client meant it."""
    return segment.replace("%25", "%")


def order_lookup(services: Services) -> OrderLookup:
    """The lookup of orders by id, reference and other names."""
    return OrderLookup(
        orders=services.orders,
        search=services.search,
        connections=services.connections.all().keys(),
    )


def order_key(order_id: str, services: Services) -> OrderKey:
    """The single item that a path names.

    :raises NotFound: when there is none
    :raises Conflict: when there are several
    """
    return named_order(decoded(order_id), services)


def named_order(text: str, services: Services) -> OrderKey:
    """The single item that a text names.

    :raises NotFound: when there is none
    :raises Conflict: when there are several
    """
    try:
        return order_lookup(services).find_one(text)
    except UnknownOrder as error:
        raise unknown_order(error) from None
    except AmbiguousOrder as error:
        raise Conflict(f"{_capitalized(error)}. Name one of them.") from None


def unknown_order(error: UnknownOrder) -> NotFound:
    """The problem for a name that no order has."""
    return NotFound(f"{_capitalized(error)}.")


def item_key(order_id: str) -> OrderKey | None:
    """The full key in a path, whether the order exists or not; None for any other name."""
    try:
        return OrderKey.parse(decoded(order_id))
    except BadOrderId:
        return None


def _capitalized(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:]


def group_key(group_id: str) -> OrderKey:
    """The connection and order of a group; the key's item has no meaning.

    :raises BadOrderId: when it isn't the id of a group
    """
    return OrderKey.parse(f"{decoded(group_id)}:-")


def notice_id(text: str) -> NoticeId:
    """:raises BadNoticeId: when it isn't the id of a notice"""
    return NoticeId.parse(decoded(text))
