"""Creates the services that send queued mails, with their drivers."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from milepost.connections.aws.settings import ConnectionSettings
from milepost.forecasts.aws.recent_tables import RecentTables
from milepost.forecasts.aws.store import ForecastStore
from milepost.notifications.aws.counted_failures import CountedNotices, counted_and_logged
from milepost.notifications.aws.held_notices import HoldsTable
from milepost.notifications.aws.overdue import open_overdue
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.aws.topic_and_queues import NoticeQueue
from milepost.notifications.dispatch import Notifier
from milepost.notifications.eligibility_facts import Judge
from milepost.notifications.mail.awaited_contact import AwaitedContacts
from milepost.notifications.mail.aws.mail_tests import SesTestMails
from milepost.notifications.mail.aws.queued_mails import QueuedMails
from milepost.notifications.mail.aws.sent_mails import MailsTable
from milepost.notifications.mail.aws.ses import Mailbox
from milepost.notifications.mail.aws.templates import OverridesTable
from milepost.notifications.mail.aws.unsubscribe import LinkKeysStore
from milepost.notifications.mail.held_notices import HeldNoticesSender
from milepost.notifications.mail.message import Mail
from milepost.notifications.mail.rendering.links import TrackingPages
from milepost.notifications.mail.rendering.renderer import MailRenderer
from milepost.notifications.mail.sender import Sender
from milepost.notifications.mail.unsubscribe import UnsubscribeLinks
from milepost.orders.aws.consistent_reads import ConsistentOrders

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sqs import SQSClient


class MailDrivers:
    """The drivers of queued mails, created from the function's environment variables."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        dynamodb: "DynamoDBClient",
        connections: ConnectionSettings,
        count_failure: Callable[[], None],
    ) -> None:
        """
        :param count_failure: counts a notice that its recipient will not get, for the alarm
        """
        self._environment = environment
        self._dynamodb = dynamodb
        self._connections = connections
        self._notices_table = table_name = environment["NOTICES_TABLE"]
        self._subscriptions = SubscriptionsTable(dynamodb, table_name=table_name)
        self._suppressions = SuppressionsTable(dynamodb, table_name=table_name)
        self._log = CountedNotices(
            dynamodb, table_name=table_name, failed=counted_and_logged(count_failure)
        )

    def open_queued_mails(
        self,
        *,
        ses: "SESV2Client",
        sqs: "SQSClient",
        link_keys: LinkKeysStore,
        tracking: TrackingPages,
        clock: Callable[[], datetime],
    ) -> QueuedMails:
        """The service that sends the mails of the email queue.

        :param link_keys: sign the links to unsubscribe
        :param tracking: makes the links to tracking pages
        """
        sender = self._open_sender(ses, link_keys, tracking)
        holds = HoldsTable(self._dynamodb, table_name=self._notices_table)
        queue = NoticeQueue(sqs, queue_url=self._environment["EMAIL_QUEUE_URL"])
        return QueuedMails(
            sender=sender,
            held_notices_sender=self._open_batch_sender(sender, holds),
            test_mails=SesTestMails(
                ses,
                sender=self._environment["SENDER_ADDRESS"],
                configuration_set=self._environment["CONFIGURATION_SET"],
                subscriptions=self._subscriptions,
                suppressions=self._suppressions,
            ),
            awaited_contacts=AwaitedContacts(
                orders=sender.judge.orders,
                connections=self._connections,
                subscriptions=self._subscriptions.all,
                notifier=Notifier(emails=queue, holds=holds, log=self._log),
                log=self._log,
                outbox=queue,
            ),
            queue=queue,
            clock=clock,
        )

    def _open_sender(
        self, ses: "SESV2Client", link_keys: LinkKeysStore, tracking: TrackingPages
    ) -> Sender:
        environment, table_name = self._environment, self._notices_table
        return Sender(
            claims=self._log,
            judge=Judge(
                suppressions=self._suppressions,
                subscriptions=self._subscriptions,
                orders=ConsistentOrders(self._dynamodb, table_name=environment["ORDERS_TABLE"]),
                connections=self._connections,
            ),
            renderer=MailRenderer(
                self._connections,
                OverridesTable(self._dynamodb, table_name=table_name, clock=time.monotonic),
                console_url=environment["CONSOLE_URL"],
                forecasts=RecentTables(
                    ForecastStore(self._dynamodb, table_name=environment["FIGURES_TABLE"]),
                    clock=time.monotonic,
                ),
                tracking=tracking,
            ),
            links=UnsubscribeLinks(link_keys, public_url=environment["PUBLIC_URL"]),
            mailer=Mailbox(
                ses,
                sender=environment["SENDER_ADDRESS"],
                configuration_set=environment["CONFIGURATION_SET"],
                records=MailsTable(self._dynamodb, table_name=table_name),
            ),
        )

    def _open_batch_sender(self, sender: Sender, holds: HoldsTable) -> HeldNoticesSender[Mail]:
        return HeldNoticesSender(
            claims=sender.claims,
            holds=holds,
            judge=sender.judge,
            renderer=sender.renderer,
            links=sender.links,
            mailer=sender.mailer,
            overdue=open_overdue(
                self._dynamodb,
                orders_table=self._environment["ORDERS_TABLE"],
                notices_table=self._notices_table,
                subscriptions=self._subscriptions,
            ),
        )
