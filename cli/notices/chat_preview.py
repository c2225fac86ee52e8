"""Previews of messages to chats, with a connection's settings."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cli.errors import WrongUse
from cli.notices.preview import DIGEST
from cli.stack import Stack
from milepost.connections.aws.settings import ConnectionSettings
from milepost.connections.connection import UnknownConnection
from milepost.notifications.chat.platforms import PLATFORM_OF
from milepost.notifications.chat.rendering import ChatRenderer
from milepost.notifications.notice import Channel
from milepost.notifications.subscription import DigestReason
from milepost.providers.registry import REGISTRY


class PreviewChannel(StrEnum):
    """Channels whose messages can be shown."""

    EMAIL = "email"
    SLACK = "slack"
    TEAMS = "teams"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatWanted:
    """The message to show: of one notice, or a digest with its ``reason``."""

    channel: Channel
    kind: str
    reason: DigestReason
    connection: str
    language: str
    customer_names: bool


def preview_chat(stack: Stack, wanted: ChatWanted) -> Mapping[str, Any]:
    """The JSON of a message about sample orders, in the form in which the platform gets it.

    :raises WrongUse: when there is no such connection, or the team isn't notified of this kind
    """
    settings = ConnectionSettings(
        stack.client("ssm"),
        path=stack.output("ConnectionsPath"),
        clock=time.monotonic,
        providers=REGISTRY,
    )
    renderer = ChatRenderer(connections=settings)
    how: dict[str, Any] = {
        "connection": wanted.connection,
        "language": wanted.language,
        "with_name": wanted.customer_names,
    }
    try:
        if wanted.kind == DIGEST:
            message = renderer.preview_digest(wanted.reason, **how)
        else:
            message = renderer.preview(wanted.kind, **how)
    except UnknownConnection:
        known = ", ".join(sorted(settings.all())) or "none"
        raise WrongUse(f"There is no connection {wanted.connection}; there are: {known}.") from None
    except LookupError as error:
        raise WrongUse(f"{error}.") from None
    # The address is not part of a message.
    body: Mapping[str, Any] = json.loads(PLATFORM_OF[wanted.channel].request(message, url="").body)
    return body
