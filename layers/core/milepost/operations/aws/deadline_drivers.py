"""Creates a run of ``watch_deadlines`` with its drivers."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from milepost.connections.aws.drift import DriftNotices
from milepost.connections.aws.settings import ConnectionSettings
from milepost.connections.connection import Connection
from milepost.notifications.aws.announcement_log import AnnouncementLogTable
from milepost.notifications.aws.publishing import open_dispatcher
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.reconciliation import AnnouncementWatch
from milepost.operations.aws.deadline_run import DeadlineRun
from milepost.orders.aws.index import OrdersIndex
from milepost.orders.aws.index_layout import IndexLayout
from milepost.orders.aws.table import OrdersReader, OrdersTable
from milepost.orders.deadline_watch import DeadlineWatch
from milepost.orders.provider_rules import Rules
from milepost.orders.refold import Refold
from milepost.orders.timed_announcements import TimedWatch
from milepost.providers.base import rules_of
from milepost.providers.registry import adapter_of
from milepost.queries.aws.commission_checkpoint import CommissionCheckpoint
from milepost.queries.commission_watch import CommissionWatch

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


class DeadlineDrivers:
    """The drivers of a run, created from the function's environment variables."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        dynamodb: "DynamoDBClient",
        connections: ConnectionSettings,
    ) -> None:
        self._environment = environment
        self._dynamodb = dynamodb
        self._connections = connections
        self._orders_table = environment["ORDERS_TABLE"]
        self._notices_table = environment["NOTICES_TABLE"]
        self._index = OrdersIndex(dynamodb, table_name=self._orders_table)

    def open_refold(self) -> Refold:
        """Creates the service that folds the stored orders again."""
        return Refold(
            index=self._index,
            connections=self._connections,
            orders_of=self._orders_of,
            rules_of=_rules_of,
        )

    def open_run(
        self,
        *,
        sns: "SNSClient",
        sqs: "SQSClient",
        events: "Callable[[], EventBridgeClient]",
        clock: Callable[[], datetime],
    ) -> DeadlineRun:
        """Creates the service that announces what has become due.

        :param events: creates the client of the event bus, if there is one
        """
        index, connections = self._index, self._connections
        return DeadlineRun(
            connections=connections,
            index=index,
            layout=IndexLayout(self._dynamodb, table_name=self._notices_table),
            deadlines=DeadlineWatch(
                watch_list=index,
                connections=connections,
                orders_of=self._orders_of,
                rules_of=_rules_of,
            ),
            timed=TimedWatch(
                index=index,
                connections=lambda: connections.all().values(),
                orders_of=self._orders_of,
            ),
            commissions=CommissionWatch(
                index=index,
                connections=lambda: connections.all().values(),
                orders_of=self._orders_of,
                checkpoint=CommissionCheckpoint(self._dynamodb, table_name=self._notices_table),
            ),
            announcements=self._open_announcements(sns, sqs, events),
            drift_notices=DriftNotices(
                self._dynamodb,
                table_name=self._environment["POLLS_TABLE"],
                sns=sns,
                topic_arn=self._environment["ALARMS_TOPIC_ARN"],
            ),
            clock=clock,
        )

    def _open_announcements(
        self, sns: "SNSClient", sqs: "SQSClient", events: "Callable[[], EventBridgeClient]"
    ) -> AnnouncementWatch:
        subscriptions = SubscriptionsTable(self._dynamodb, table_name=self._notices_table)
        return AnnouncementWatch(
            watch_list=self._index,
            connections=self._connections,
            orders=OrdersReader(self._dynamodb, table_name=self._orders_table),
            log=AnnouncementLogTable(self._dynamodb, table_name=self._notices_table),
            subscriptions=subscriptions.all,
            teller=open_dispatcher(
                self._environment, dynamodb=self._dynamodb, sns=sns, sqs=sqs, events=events
            ),
        )

    def _orders_of(self, connection: Connection) -> OrdersTable:
        return OrdersTable(self._dynamodb, table_name=self._orders_table, connection=connection)


def _rules_of(connection: Connection) -> Rules:
    return rules_of(adapter_of(connection), connection)
