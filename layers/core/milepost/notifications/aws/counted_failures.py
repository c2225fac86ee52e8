"""The delivery log that counts failed notices, for an alarm.

Each is a notice that its recipient will not get: there is no automatic retry after this.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.notice import Notice, State

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

logger = logging.getLogger(__name__)

Failed: TypeAlias = Callable[[Notice], None]
"""A function that is called after a notice was closed as failed."""


def counted_and_logged(count: Callable[[], None]) -> Failed:
    """Counts a failed notice by ``count``, and logs it; the delivery log has the reason."""

    def note_failed(notice: Notice) -> None:
        count()
        logger.error("notice failed", extra={"notice": notice.id, "kind": notice.announcement.kind})

    return note_failed


class CountedNotices(NoticesTable):
    """The delivery log of mails, with a count of failed ones."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str, failed: Failed) -> None:
        super().__init__(client, table_name=table_name)
        self._failed = failed

    def close(self, notice: Notice, *, state: State, **closing: Any) -> bool:
        was_open = super().close(notice, state=state, **closing)
        if was_open and state is State.FAILED:
            self._failed(notice)
        return was_open


class CountedChatNotices(CountedNotices):
    """The delivery log of messages to chats, with a count of failed ones. A response of the webhook
    means that the platform has the message.
    """

    state_of_sent = State.DELIVERED
