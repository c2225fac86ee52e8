"""Sends a test message to the address, endpoint or chat of a subscription, and reads the response.

It is about no order and no notice: it isn't in the delivery log, isn't retried, and neither
switches an endpoint off nor reactivates it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import uuid4

from milepost.common.accept_language import preferred_language
from milepost.notifications.chat.message import ChatMessage
from milepost.notifications.chat.platforms import PLATFORM_OF
from milepost.notifications.endpoints.delivery import EndpointSecrets, Http, NoAnswer
from milepost.notifications.endpoints.retry_policy import failure_of
from milepost.notifications.endpoints.signed_message import Request, signed_json_headers
from milepost.notifications.notice import CHATS, Channel
from milepost.notifications.subscription import Subscription
from milepost.webhooks.signatures import NoSecret

KIND: Final = "test"
"""The ``kind`` of the JSON that an endpoint gets."""
_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "en": (
        "Test message from Milepost",
        "This chat gets notices of orders. There is nothing to do.",
    ),
    "de": (
        "Testnachricht von Milepost",
        "Dieser Chat erhält Meldungen zu Aufträgen. Es ist nichts zu tun.",
    ),
    "da": (
        "Testbesked fra Milepost",
        "Denne chat får beskeder om ordrer. Du skal ikke gøre noget.",
    ),
}


class Mails(Protocol):
    def send(self, subscription: Subscription) -> str | None:
        """Queue a mail; returns the reason if it is not sent, or None."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTestOutcome:
    """``status`` is None without a response, and for a mail; ``failure`` is None if the message was
    accepted, or the mail was queued."""

    status: int | None
    failure: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTest:
    """Sends tests."""

    secrets: EndpointSecrets
    http: Http
    mails: Mails

    def run(self, subscription: Subscription, *, now: datetime) -> MessageTestOutcome:
        """Send a test now, even if the subscription has ended.

        :raises NoSecret: when an endpoint has no usable secret, or a chat no address
        """
        if subscription.channel is Channel.EMAIL:
            return MessageTestOutcome(status=None, failure=self.mails.send(subscription))
        secrets = self.secrets.active(subscription.id, now=now)
        if not secrets:
            raise NoSecret
        platform = PLATFORM_OF[subscription.channel] if subscription.channel in CHATS else None
        if platform is not None:
            request = platform.request(_message(subscription.language), url=secrets[0])
        else:
            delivery_id = f"test_{uuid4().hex}"
            body = json.dumps({"version": 1, "kind": KIND, "id": delivery_id}).encode()
            headers = signed_json_headers(body, delivery_id=delivery_id, secrets=secrets, now=now)
            request = Request(url=subscription.recipient, headers=headers, body=body)
        try:
            answer = self.http.post(request.url, headers=request.headers, body=request.body)
        except NoAnswer as why:
            return MessageTestOutcome(status=None, failure=str(why))
        read = platform.failure_of if platform is not None else failure_of
        failure = read(answer, now=now)
        return MessageTestOutcome(
            status=answer.status, failure=None if failure is None else failure.reason
        )


def _message(language: str) -> ChatMessage:
    title, text = _TEXTS[preferred_language(language, among=_TEXTS) or "en"]
    return ChatMessage(title=title, paragraphs=(text,))
