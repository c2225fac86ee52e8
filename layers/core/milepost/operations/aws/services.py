"""Creates the services of operators from a function's environment."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Final

from milepost.aws.clients import FOR_INVOCATIONS, INTERACTIVE_CONFIG, client
from milepost.connections.aws.activity import ContactsTable
from milepost.connections.aws.declarations import DeclarationsTable
from milepost.connections.aws.poll_requests import PollRequests
from milepost.connections.aws.settings import ConnectionSettings
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppression_lists import SuppressionListTable
from milepost.notifications.aws.suppressions import SuppressionsTable
from milepost.notifications.aws.topic_and_queues import NoticeQueue
from milepost.notifications.chat.send_test import MessageTest
from milepost.notifications.endpoints.aws.http import EndpointHttp
from milepost.notifications.endpoints.aws.secrets import EndpointSecretsKeeper
from milepost.notifications.mail.aws.mail_tests import QueuedTestMails
from milepost.operations.aws.dead_letter_queues import BATCHES, open_dead_letters
from milepost.operations.aws.webhook_tests import StackWebhookTests
from milepost.operations.erasure.aws.places import open_erasure
from milepost.operations.services import Operations
from milepost.polling.aws.poll_starts import PollStarts
from milepost.quarantine.aws.store import Quarantine
from milepost.quarantine.replay import Replay
from milepost.queries.aws.saved_views import ViewsTable
from milepost.webhooks.aws.replay_queue import ReplayQueue
from milepost.webhooks.aws.secret_rotation import SigningSecretsKeeper

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

_S3 = cache(lambda: client("s3"))
"""Seldom needed, and the slowest client to create."""


MOST_SECONDS: Final = 15.0
"""How long an erasure searches large places, while a caller waits for the response."""


def open_operations(
    environment: Mapping[str, str],
    *,
    connections: ConnectionSettings,
    public_url: Callable[[], str],
    clock: Callable[[], datetime],
) -> Operations:
    """Operations on the stack that the environment variables name.

    :param public_url: where the API is reached from outside
    """
    dynamodb = client("dynamodb", config=INTERACTIVE_CONFIG)
    sqs = client("sqs", config=INTERACTIVE_CONFIG)
    quarantine = Quarantine(_S3, bucket=environment["QUARANTINE_BUCKET"])
    replay = ReplayQueue(sqs, queue_url=environment["INBOX_QUEUE_URL"])
    queues = open_dead_letters(environment, sqs=sqs, batches=True)
    notices_table = environment["NOTICES_TABLE"]
    allow_private = environment["ALLOW_PRIVATE_ENDPOINTS"] == "true"
    secrets = client("secretsmanager", config=INTERACTIVE_CONFIG)
    endpoint_secrets = EndpointSecretsKeeper(secrets, secret_id=environment["ENDPOINT_SECRETS_ARN"])
    signing_secrets = SigningSecretsKeeper(
        secrets,
        secret_id=environment["SIGNING_SECRETS_ARN"],
        declarations=DeclarationsTable(dynamodb, table_name=notices_table),
    )
    return Operations(
        quarantine=quarantine,
        replay=Replay(quarantine=quarantine, inbox=replay),
        dead_letters=queues,
        erasure=open_erasure(
            environment,
            dead_letters=[one for one in queues if one.name != BATCHES],
            connections=connections,
            seconds=MOST_SECONDS,
            views=ViewsTable(dynamodb, table_name=environment["VIEWS_TABLE"]),
        ),
        contacts=ContactsTable(dynamodb, table_name=environment["POLLS_TABLE"]),
        polls=PollStarts(
            client("lambda", config=FOR_INVOCATIONS),
            function=environment["POLL_ORDERS_FUNCTION"],
            requests=PollRequests(dynamodb, table_name=environment["POLLS_TABLE"]),
        ),
        subscriptions=SubscriptionsTable(dynamodb, table_name=notices_table),
        suppressions=SuppressionListTable(dynamodb, table_name=notices_table),
        endpoint_secrets=endpoint_secrets,
        message_tests=MessageTest(
            secrets=endpoint_secrets,
            http=EndpointHttp(allow_private=allow_private),
            mails=_open_test_mails(environment, sqs=sqs, dynamodb=dynamodb),
        ),
        signing_secrets=signing_secrets,
        webhook_tests=StackWebhookTests(
            secrets=signing_secrets, quarantine=quarantine, public_url=public_url, clock=clock
        ),
        allow_private_endpoints=allow_private,
    )


def _open_test_mails(
    environment: Mapping[str, str], *, sqs: "SQSClient", dynamodb: "DynamoDBClient"
) -> QueuedTestMails:
    suppressions = SuppressionsTable(dynamodb, table_name=environment["NOTICES_TABLE"])
    queue = NoticeQueue(sqs, queue_url=environment["EMAIL_QUEUE_URL"])
    return QueuedTestMails(queue, suppressions=suppressions)
