"""Messages of the endpoint queue: each is a notice, or a batch of notices held for one chat."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from milepost.aws.sqs_batches import Message
from milepost.notifications.aws.topic_and_queues import NoticeQueue, batch_of, notice_of
from milepost.notifications.claims import AlreadyClaimed, Batch, batch_id
from milepost.notifications.endpoints.aws.call_log import attempt_of
from milepost.notifications.endpoints.delivery import Caller

logger = logging.getLogger(__name__)

LATER: Final = timedelta(seconds=60)
"""The delay of a message whose notice another worker has claimed."""


class ChatBatches(Protocol):
    def send(self, batch: Batch, *, attempt: int, now: datetime) -> str | None:
        """Send the messages that were held for one chat; returns the reason for a retry, or
        None.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedCalls:
    """Calls endpoints, and posts to chats, for the messages of the queue."""

    caller: Caller
    open_chat_batches: Callable[[Caller], ChatBatches]
    """Makes what sends batches, by the caller's drivers. Most messages don't need it."""
    queue: NoticeQueue
    clock: Callable[[], datetime]

    def call(self, message: Message) -> None:
        """Call the endpoint for one message.

        :raises Exception: when it failed by an internal error, which is logged
        """
        try:
            self._call_once(json.loads(message["body"]))
        except AlreadyClaimed:
            # As a new message: the claim of a killed worker must not use up this message's retries.
            self.queue.put_message(json.loads(message["body"]), delay=LATER)
            logger.info(
                "comes back", extra={"message_id": message["messageId"], "why": "AlreadyClaimed"}
            )
        except Exception:
            logger.exception("failed to call", extra={"message_id": message["messageId"]})
            raise

    def put_back(self, message: Message) -> None:
        """Make a message visible again, for another worker."""
        self.queue.put_message(json.loads(message["body"]))

    def _call_once(self, content: Mapping[str, Any]) -> None:
        """Call the endpoint of one notice, or post the notices held for one chat, once."""
        if batch := batch_of(content):
            self._send_batch(batch, attempt=attempt_of(content))
            return
        notice, attempt = notice_of(content), attempt_of(content)
        called = self.caller.call(notice, attempt=attempt, now=self.clock())
        after = self.clock() - notice.announcement.announced_at
        logger.info(
            "handled",
            extra={
                "notice": notice.id,
                "after_seconds": round(after.total_seconds(), 1),
                "subscription": notice.subscription,
                "attempt": attempt + 1,
                "state": called.state if called else "settled before",
                "failure": called.failure if called else None,
                "switched_off": called.switched_off if called else False,
            },
        )

    def _send_batch(self, batch: Batch, *, attempt: int) -> None:
        """Post the notices that were held for one chat as one message."""
        again = self.open_chat_batches(self.caller).send(batch, attempt=attempt, now=self.clock())
        logger.info(
            "handled",
            extra={"batch": batch_id(batch), "attempt": attempt + 1, "comes_back": again},
        )
