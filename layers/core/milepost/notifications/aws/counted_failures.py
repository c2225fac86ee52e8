"""The delivery log that counts failed notices, for an alarm. Short: it adds only the metric.

Each is a notice that its recipient will not get: there is no automatic retry after this.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from milepost.notifications.aws.delivery_log import NoticesTable
from milepost.notifications.notice import Notice, State

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Failed: TypeAlias = Callable[[Notice], None]
"""A function that is called after a notice was closed as failed."""


class CountedNotices(NoticesTable):
    """Notices by mail."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str, failed: Failed) -> None:
        super().__init__(client, table_name=table_name)
        self._failed = failed

    def close(self, notice: Notice, *, state: State, **closing: Any) -> bool:
        was_open = super().close(notice, state=state, **closing)
        if was_open and state is State.FAILED:
            self._failed(notice)
        return was_open


class CountedChatNotices(CountedNotices):
    """Notices by chat: a webhook's answer says that the platform has the message."""

    state_of_sent = State.DELIVERED
