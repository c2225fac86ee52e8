"""Creates the services of operators from a function's environment."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from milepost.aws.clients import FOR_INVOCATIONS, INTERACTIVE_CONFIG, client
from milepost.connections.aws.activity import ContactsTable
from milepost.connections.aws.poll_requests import PollRequests
from milepost.connections.aws.settings import ConnectionSettings
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.aws.suppression_lists import SuppressionListTable
from milepost.notifications.endpoints.aws.secrets import EndpointSecretsKeeper
from milepost.operations.aws.dead_letter_queues import BATCHES, open_dead_letters
from milepost.operations.erasure.aws.places import open_erasure
from milepost.operations.services import Operations
from milepost.polling.aws.on_demand import PollStarts
from milepost.quarantine.aws.store import Quarantine
from milepost.quarantine.replay import Replay
from milepost.webhooks.aws.replay_queue import ReplayQueue

_S3 = cache(lambda: client("s3"))
"""Seldom needed, and the slowest client to create."""


MOST_SECONDS: Final = 15.0
"""How long an erasure searches large places, while a caller waits for the response."""


def open_operations(
    environment: Mapping[str, str], *, connections: ConnectionSettings
) -> Operations:
    """Operations on the stack that the environment names."""
    dynamodb, sqs = (
        client("dynamodb", config=INTERACTIVE_CONFIG),
        client("sqs", config=INTERACTIVE_CONFIG),
    )
    quarantine = Quarantine(_S3, bucket=environment["QUARANTINE_BUCKET"])
    replay = ReplayQueue(sqs, queue_url=environment["INBOX_QUEUE_URL"])
    queues = open_dead_letters(environment, sqs=sqs, batches=True)
    notices_table = environment["NOTICES_TABLE"]
    return Operations(
        quarantine=quarantine,
        replay=Replay(quarantine=quarantine, inbox=replay),
        dead_letters=queues,
        erasure=open_erasure(
            environment,
            dead_letters=[one for one in queues if one.name != BATCHES],
            connections=connections,
            seconds=MOST_SECONDS,
        ),
        contacts=ContactsTable(dynamodb, table_name=environment["POLLS_TABLE"]),
        polls=PollStarts(
            client("lambda", config=FOR_INVOCATIONS),
            function=environment["POLL_ORDERS_FUNCTION"],
            requests=PollRequests(dynamodb, table_name=environment["POLLS_TABLE"]),
        ),
        subscriptions=SubscriptionsTable(dynamodb, table_name=notices_table),
        suppressions=SuppressionListTable(dynamodb, table_name=notices_table),
        endpoint_secrets=EndpointSecretsKeeper(
            client("secretsmanager", config=INTERACTIVE_CONFIG),
            secret_id=environment["ENDPOINT_SECRETS_ARN"],
        ),
        allow_private_endpoints=environment["ALLOW_PRIVATE_ENDPOINTS"] == "true",
    )
