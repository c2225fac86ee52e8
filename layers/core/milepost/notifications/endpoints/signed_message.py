"""The content that is posted to an endpoint: signed JSON, or the output of another writer."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from milepost.notifications.announcement_message import topic_message
from milepost.notifications.eligibility_facts import Judged
from milepost.notifications.endpoints.retry_policy import Answer, Failure, failure_of
from milepost.notifications.notice import Notice, announced_by
from milepost.orders.announcements import Announced
from milepost.webhooks.signatures import NoSecret, sign

USER_AGENT: Final = "Milepost/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A POST request. Its URL may be secret, so that the request is never in a traceback or a
    log.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str]
    body: bytes


class Writer(Protocol):
    """Writes the requests of a channel, and reads their answers."""

    @property
    def lacks(self) -> str:
        """What a subscription without a secret is missing, and what to do about it, as text."""
        ...

    def write(self, judged: Judged, *, secrets: Sequence[str], now: datetime) -> Request:
        """The request of one notice.

        :param secrets: those of its subscription, the current one first
        :raises NoSecret: when there is none, or one is malformed
        """
        ...

    def failure_of(self, answer: Answer, *, now: datetime) -> Failure | None:
        """Why the message was not accepted; None if it was."""
        ...


class SignedJson:
    """The JSON of an SNS message, signed according to Standard Webhooks."""

    lacks: Final = "signing secret: set one (whsec_ and base64)"

    def write(self, judged: Judged, *, secrets: Sequence[str], now: datetime) -> Request:
        body = message_body(_announced(judged))
        headers = message_headers(judged.notice, body, secrets=secrets, now=now)
        return Request(url=judged.notice.recipient, headers=headers, body=body)

    def failure_of(self, answer: Answer, *, now: datetime) -> Failure | None:
        return failure_of(answer, now=now)


def message_id(notice: Notice) -> str:
    """The ``webhook-id``: the same for every attempt, and safe to sign (there is no dot in it)."""
    return f"msg_{hashlib.sha256(notice.id.encode()).hexdigest()[:32]}"


def message_body(announced: Announced) -> bytes:
    """The JSON body of an SNS message, see docs/announcements.md."""
    return json.dumps(topic_message(announced), ensure_ascii=False).encode()


def message_headers(
    notice: Notice, body: bytes, *, secrets: Sequence[str], now: datetime
) -> dict[str, str]:
    """The headers of Standard Webhooks; the timestamp is that of this attempt.

    :param secrets: each gives a signature, in this order
    :raises NoSecret: when there is no secret, or one is malformed
    """
    return signed_json_headers(body, delivery_id=message_id(notice), secrets=secrets, now=now)


def signed_json_headers(
    body: bytes, *, delivery_id: str, secrets: Sequence[str], now: datetime
) -> dict[str, str]:
    """The same for a delivery with this id.

    :raises NoSecret: when there is no secret, or one is malformed
    """
    if not secrets:
        raise NoSecret
    timestamp = int(now.timestamp())
    signatures = [
        sign(secret, delivery_id=delivery_id, timestamp=timestamp, body=body) for secret in secrets
    ]
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def _announced(judged: Judged) -> Announced:
    connection = judged.facts.connection
    if connection is None:
        raise ValueError(f"there is no connection to send {judged.notice.id} for")
    return announced_by(judged.notice, judged.tracked.order, provider=connection.provider)
