"""Creates the services that post to chats: for single notices, and for digests."""

from functools import cache
from typing import TYPE_CHECKING

from milepost.connections.connection import Connections
from milepost.notifications.aws.counted_failures import CountedChatNotices, Failed
from milepost.notifications.aws.held_notices import HoldsTable
from milepost.notifications.chat.held_notices import BatchRetries, ChatBatches, ChatPoster, NoLinks
from milepost.notifications.chat.platforms import PLATFORM_OF, ChatWriter
from milepost.notifications.chat.shown_overdue import DisclosedOverdue
from milepost.notifications.endpoints.delivery import Caller
from milepost.notifications.endpoints.signed_message import SignedJson, Writer
from milepost.notifications.mail.held_notices import HeldNoticesSender
from milepost.notifications.notice import Channel
from milepost.orders.overdue_list import OverdueOrders

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from milepost.notifications.chat.rendering import ChatRenderer


class ChatPosting:
    """The services with which ``call_endpoint`` posts to chats."""

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        *,
        notices_table: str,
        connections: Connections,
        console_url: str,
        failed: Failed,
        overdue: OverdueOrders,
        retries: BatchRetries,
    ) -> None:
        """
        :param failed: is called after a notice of a digest was closed as failed
        :param overdue: the overdue orders within a subscription, as the table has them
        """
        self._dynamodb = dynamodb
        self._notices_table = notices_table
        self._failed = failed
        self._overdue = overdue
        self._retries = retries

        @cache
        def renderer() -> "ChatRenderer":
            # Endpoints don't need it, nor the templates that it loads.
            from milepost.notifications.chat.rendering import ChatRenderer  # noqa: PLC0415

            return ChatRenderer(connections=connections, console_url=console_url)

        self._renderer = renderer

    def writer_of(self, channel: Channel) -> Writer:
        """The service that writes the requests of a channel: of a chat, or of an endpoint."""
        if channel is Channel.HTTPS:
            return SignedJson()
        return ChatWriter(renderer=self._renderer(), platform=PLATFORM_OF[channel])

    def batches(self, caller: Caller) -> ChatBatches:
        """The service that sends digests to chats, by the same webhooks to which ``caller`` sends
        single notices.
        """
        log = CountedChatNotices(
            self._dynamodb, table_name=self._notices_table, failed=self._failed
        )
        poster = ChatPoster(
            log=log,
            secrets=caller.secrets,
            http=caller.http,
            switching_off=caller.switching_off,
            chance=caller.chance,
        )
        return ChatBatches(
            sender=HeldNoticesSender(
                claims=log,
                holds=HoldsTable(self._dynamodb, table_name=self._notices_table),
                judge=caller.judge,
                renderer=self._renderer(),
                links=NoLinks(),
                mailer=poster,
                overdue=DisclosedOverdue(overdue=self._overdue, orders=caller.judge.orders),
            ),
            poster=poster,
            retries=self._retries,
        )
