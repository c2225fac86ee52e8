"""Creates the renderers of previews. Short: it joins drivers, and imports them when needed."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from milepost.aws.clients import INTERACTIVE_CONFIG, client
from milepost.connections.connection import Connections
from milepost.console.settings import Settings

if TYPE_CHECKING:
    from milepost.notifications.chat.rendering import ChatRenderer
    from milepost.notifications.mail.rendering.renderer import MailRenderer


def open_renderer(
    environment: Mapping[str, str], *, settings: Settings
) -> "Callable[[Connections], MailRenderer]":
    """Renders mails as ``send_notice`` does, for the connections that the user may see."""

    def renderer(connections: Connections) -> "MailRenderer":
        # Few pages need it, and it would make every cold start longer.
        from milepost.notifications.mail.aws.templates import OverridesTable  # noqa: PLC0415
        from milepost.notifications.mail.rendering.renderer import MailRenderer  # noqa: PLC0415

        texts = OverridesTable(
            client("dynamodb", config=INTERACTIVE_CONFIG),
            table_name=environment["NOTICES_TABLE"],
            clock=time.monotonic,
        )
        return MailRenderer(connections, texts, console_url=settings.addresses().url)

    return renderer


def open_chat_renderer(*, settings: Settings) -> "Callable[[Connections], ChatRenderer]":
    """Renders messages to chats as ``call_endpoint`` does."""

    def renderer(connections: Connections) -> "ChatRenderer":
        from milepost.notifications.chat.rendering import ChatRenderer  # noqa: PLC0415 - as above

        return ChatRenderer(connections=connections, console_url=settings.addresses().url)

    return renderer
