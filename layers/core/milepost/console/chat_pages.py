"""A message to a chat, as a page draws it. Short: two pages share it."""

from typing import Final, Protocol

from milepost.notifications.chat.message import ChatMessage
from milepost.notifications.notice import CHATS, Channel, Notice
from milepost.notifications.subscription import DigestReason
from milepost.orders.order import TrackedOrder

PREVIEWED: Final = (Channel.EMAIL, *sorted(CHATS))
"""Channels whose messages are shown before anybody gets them."""


class ChatRenderer(Protocol):
    """Renders messages to chats (``rendering.ChatRenderer``). The order that it gets is already
    disclosed.
    """

    def render(
        self, notice: Notice, tracked: TrackedOrder, *, time_zone: str | None = None
    ) -> ChatMessage: ...

    def preview(
        self, kind: str, *, connection: str, language: str, with_name: bool = False
    ) -> ChatMessage: ...

    def preview_digest(
        self, reason: DigestReason, *, connection: str, language: str, with_name: bool = False
    ) -> ChatMessage: ...
