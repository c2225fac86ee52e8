"""Ids in paths.

An HTTP API decodes every escape of a path but that of the percent sign itself, so that an id whose
parts are quoted arrives as it was meant once that one is decoded as well.
"""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path

from milepost.notices import NoticeId
from milepost.order import OrderKey

OrderPath = Annotated[
    str,
    Path(
        description="An order's id: `connection:order:item`.",
        pattern=r"^[^:]+:[^:]+:[^:]+$",
        max_length=1000,
    ),
]
GroupPath = Annotated[
    str,
    Path(
        description="A group's id: `connection:order`.",
        pattern=r"^[^:]+:[^:]+$",
        max_length=1000,
    ),
]
NoticePath = Annotated[
    str,
    Path(
        description="A notice's id, as lists of notices show it.",
        pattern=r"^[^:]+(:[^:]+){5,6}$",
        max_length=1000,
    ),
]


def decoded(segment: str) -> str:
    """A segment of the path as the client meant it."""
    return segment.replace("%25", "%")


def order_key(order_id: str) -> OrderKey:
    """:raises BadOrderId: when it is none"""
    return OrderKey.parse(decoded(order_id))


def group_key(group_id: str) -> OrderKey:
    """The connection and order of a group; its item says nothing.

    :raises BadOrderId: when it is none
    """
    return OrderKey.parse(f"{decoded(group_id)}:-")


def notice_id(text: str) -> NoticeId:
    """:raises BadNoticeId: when it is none"""
    return NoticeId.parse(decoded(text))
