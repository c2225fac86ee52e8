"""Creates the services for queued calls of endpoints and chats, with their drivers."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from milepost.connections.aws.settings import ConnectionSettings
from milepost.notifications.aws.counted_failures import counted_and_logged
from milepost.notifications.aws.overdue import open_overdue
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.aws.topic_and_queues import NoticeQueue
from milepost.notifications.chat.aws.posting import ChatPosting
from milepost.notifications.chat.disclosing_judge import DisclosingJudge
from milepost.notifications.endpoints.aws.call_log import CountedCalls, EndpointRetries
from milepost.notifications.endpoints.aws.endpoints import (
    EndpointOwners,
    EndpointSecretsStore,
    EndpointsTable,
)
from milepost.notifications.endpoints.aws.http import EndpointHttp
from milepost.notifications.endpoints.aws.queued_calls import QueuedCalls
from milepost.notifications.endpoints.delivery import Caller
from milepost.orders.aws.consistent_reads import ConsistentOrders

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sqs import SQSClient


class CallDrivers:
    """The drivers of queued calls, created from the function's environment variables."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        dynamodb: "DynamoDBClient",
        connections: ConnectionSettings,
        count_failure: Callable[[], None],
    ) -> None:
        """:param count_failure: counts a notice that its recipient will not get, for the alarm"""
        self._environment = environment
        self._dynamodb = dynamodb
        self._connections = connections
        self._failed = counted_and_logged(count_failure)
        self._notices_table = table_name = environment["NOTICES_TABLE"]
        self._subscriptions = SubscriptionsTable(dynamodb, table_name=table_name)
        self._suppressions = SuppressionsTable(dynamodb, table_name=table_name)

    def open_queued_calls(
        self,
        *,
        sqs: "SQSClient",
        secrets: "SecretsManagerClient",
        ses: "Callable[[], SESV2Client]",
        clock: Callable[[], datetime],
    ) -> QueuedCalls:
        """The service that makes the calls of the endpoint queue.

        :param ses: creates the client for mails to endpoints' owners, which few calls need
        """
        queue = NoticeQueue(sqs, queue_url=self._environment["ENDPOINT_QUEUE_URL"])
        retries = EndpointRetries(self._dynamodb, table_name=self._notices_table, queue=queue)
        chats = self._open_chats(retries)
        return QueuedCalls(
            caller=self._open_caller(retries, chats, secrets=secrets, ses=ses),
            open_chat_batches=chats.batches,
            queue=queue,
            clock=clock,
        )

    def _open_chats(self, retries: EndpointRetries) -> ChatPosting:
        return ChatPosting(
            self._dynamodb,
            notices_table=self._notices_table,
            connections=self._connections,
            console_url=self._environment["CONSOLE_URL"],
            failed=self._failed,
            overdue=open_overdue(
                self._dynamodb,
                orders_table=self._environment["ORDERS_TABLE"],
                notices_table=self._notices_table,
                subscriptions=self._subscriptions,
            ),
            retries=retries,
        )

    def _open_caller(
        self,
        retries: EndpointRetries,
        chats: ChatPosting,
        *,
        secrets: "SecretsManagerClient",
        ses: "Callable[[], SESV2Client]",
    ) -> Caller:
        environment, table_name = self._environment, self._notices_table
        return Caller(
            log=CountedCalls(self._dynamodb, table_name=table_name, failed=self._failed),
            endpoints=EndpointsTable(self._dynamodb, table_name=table_name),
            judge=DisclosingJudge(
                suppressions=self._suppressions,
                subscriptions=self._subscriptions,
                orders=ConsistentOrders(self._dynamodb, table_name=environment["ORDERS_TABLE"]),
                connections=self._connections,
            ),
            secrets=EndpointSecretsStore(
                secrets, secret_id=environment["ENDPOINT_SECRETS_ARN"], clock=time.monotonic
            ),
            http=EndpointHttp(allow_private=environment["ALLOW_PRIVATE_ENDPOINTS"] == "true"),
            retries=retries,
            owners=EndpointOwners(
                ses,
                sender=environment["SENDER_ADDRESS"],
                configuration_set=environment["CONFIGURATION_SET"],
                suppressions=self._suppressions,
            ),
            writer_of=chats.writer_of,
        )
