"""Messages of the email queue: each is a notice, a batch of held notices, or a test mail."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from milepost.aws.sqs_batches import Message
from milepost.notifications.aws.topic_and_queues import (
    NoticeQueue,
    batch_of,
    mail_test_of,
    notice_of,
)
from milepost.notifications.claims import AlreadyClaimed, batch_id
from milepost.notifications.mail.awaited_contact import AwaitedContacts, awaits_contact
from milepost.notifications.mail.aws.mail_tests import SesTestMails
from milepost.notifications.mail.held_notices import HeldNoticesSender
from milepost.notifications.mail.message import Mail
from milepost.notifications.mail.sender import NEWS_WITHIN, OutcomeUnknown, Sender, TryAgainLater
from milepost.notifications.notice import Notice

logger = logging.getLogger(__name__)

LATER: Final = timedelta(seconds=60)
"""The delay before a mail is retried after SES throttled it, or after its order could not be
read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedMails:
    """Sends the mails that messages of the queue ask for."""

    sender: Sender
    held_notices_sender: HeldNoticesSender[Mail]
    test_mails: SesTestMails
    awaited_contacts: AwaitedContacts
    queue: NoticeQueue
    clock: Callable[[], datetime]

    def send(self, message: Message) -> None:
        """Send one message's mail.

        :raises Exception: when it failed by an internal error, which is logged
        """
        message_id = message["messageId"]
        try:
            self._send_once(json.loads(message["body"]))
        except (TryAgainLater, AlreadyClaimed) as later:
            # As a new message: neither throttling by SES nor the claim of a killed worker may use
            # up this message's retries.
            self.queue.put_message(json.loads(message["body"]), delay=LATER)
            why = "claimed" if isinstance(later, AlreadyClaimed) else str(later)
            logger.info("comes back", extra={"message_id": message_id, "why": why})
        except OutcomeUnknown as unknown:
            # It may have been sent. Its SES event is in the log before this message is retried.
            self.queue.put_message(json.loads(message["body"]), delay=NEWS_WITHIN)
            logger.warning(
                "may have been sent", extra={"message_id": message_id, "why": str(unknown)}
            )
        except Exception:
            logger.exception("failed to send", extra={"message_id": message_id})
            raise

    def put_back(self, message: Message) -> None:
        """Make a message visible again, for another worker."""
        self.queue.put_message(json.loads(message["body"]))

    def _send_once(self, content: Mapping[str, Any]) -> None:
        """Send one notice, the notices held for one recipient, or a test mail, once."""
        if batch := batch_of(content):
            self.held_notices_sender.send(batch, now=self.clock())
            logger.info("handled", extra={"batch": batch_id(batch)})
            return
        if subscription := mail_test_of(content):
            failure = self.test_mails.send(subscription)
            logger.info("test mail", extra={"subscription": subscription, "failure": failure})
            return
        notice = notice_of(content)
        if awaits_contact(notice):
            outcome = self.awaited_contacts.look(notice, now=self.clock())
            logger.info("checked for contact data", extra={"notice": notice.id, "outcome": outcome})
            return
        self._send_notice(notice)

    def _send_notice(self, notice: Notice) -> None:
        state = self.sender.send(notice, now=self.clock())
        after = self.clock() - notice.announcement.announced_at
        logger.info(
            "handled",
            extra={
                "notice": notice.id,
                "kind": notice.announcement.kind,
                "state": state,
                "after_seconds": round(after.total_seconds(), 1),
            },
        )
