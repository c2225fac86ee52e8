"""The platforms of chats, each with the format of its messages and the meaning of its responses."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from milepost.notifications.chat.message import ChatMessage, shortened
from milepost.notifications.chat.slack import MOST_BYTES as MOST_OF_SLACK
from milepost.notifications.chat.slack import slack_body, slack_failure
from milepost.notifications.chat.teams import MOST_BYTES as MOST_OF_TEAMS
from milepost.notifications.chat.teams import teams_body, teams_failure
from milepost.notifications.eligibility_facts import Judged
from milepost.notifications.endpoints.retry_policy import Answer, Failure
from milepost.notifications.endpoints.signed_message import USER_AGENT, Request
from milepost.notifications.notice import Channel, Notice
from milepost.orders.order import TrackedOrder
from milepost.webhooks.signatures import NoSecret


class Reading(Protocol):
    def __call__(self, answer: Answer, *, now: datetime) -> Failure | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """The format of a platform's messages, and the meaning of its responses."""

    body: Callable[[ChatMessage], Mapping[str, Any]]
    failure_of: Reading
    most_bytes: int

    def request(self, message: ChatMessage, *, url: str) -> Request:
        """The request of a message. A list is shortened until the message is within the platform's
        limit.
        """
        body = _encoded(self.body(message))
        while len(body) > self.most_bytes and (shorter := shortened(message)) is not None:
            message = shorter
            body = _encoded(self.body(message))
        headers = {"content-type": "application/json", "user-agent": USER_AGENT}
        return Request(url=url, headers=headers, body=body)


PLATFORM_OF: Final[Mapping[Channel, Platform]] = {
    Channel.SLACK: Platform(body=slack_body, failure_of=slack_failure, most_bytes=MOST_OF_SLACK),
    Channel.TEAMS: Platform(body=teams_body, failure_of=teams_failure, most_bytes=MOST_OF_TEAMS),
}


class Renderer(Protocol):
    def render(
        self, notice: Notice, tracked: TrackedOrder, *, time_zone: str | None = None
    ) -> ChatMessage: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatWriter:
    """Implements ``signed_message.Writer`` for a chat: its secret is the webhook's address."""

    renderer: Renderer
    platform: Platform
    lacks: str = "address of its webhook: set it again"

    def write(
        self,
        judged: Judged,
        *,
        secrets: Sequence[str],
        now: datetime,  # noqa: ARG002
    ) -> Request:
        if not secrets:
            raise NoSecret
        message = self.renderer.render(
            judged.in_voice, judged.tracked, time_zone=judged.voice.time_zone
        )
        return self.platform.request(message, url=secrets[0])

    def failure_of(self, answer: Answer, *, now: datetime) -> Failure | None:
        return self.platform.failure_of(answer, now=now)


def _encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
