"""What stands behind operating, built from a function's environment."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from milepost.aws.clients import FOR_A_RUN, IMPATIENT, client
from milepost.aws.contacts import ContactsTable
from milepost.aws.dead_letters import BackIntoQueue, SqsLetters, StartAgain, TellAgain
from milepost.aws.deliveries import ReplayQueue
from milepost.aws.erasing import (
    DeadLettersOfCustomers,
    ErasableOrders,
    NoticesOfCustomers,
    QuarantineOfCustomers,
    UnannouncedOfCustomers,
)
from milepost.aws.poll_starts import PollStarts
from milepost.aws.quarantine import Quarantine
from milepost.aws.search_table import SearchTable
from milepost.aws.shared_secret import EndpointSecretsKeeper
from milepost.aws.subscriptions_table import SubscriptionsTable
from milepost.dead_letters import DeadLetterQueue, Way
from milepost.erasing import Erasure
from milepost.operating import Operations
from milepost.replaying import Replay

_S3 = cache(lambda: client("s3"))
"""Seldom needed, and the slowest client of all to make."""


def open_operations(environment: Mapping[str, str]) -> Operations:
    """Operations on the stack that the environment names."""
    dynamodb, sqs = client("dynamodb", config=IMPATIENT), client("sqs", config=IMPATIENT)
    quarantine = Quarantine(_S3, bucket=environment["QUARANTINE_BUCKET"])
    replay = ReplayQueue(sqs, queue_url=environment["INBOX_QUEUE_URL"])
    queues = _dead_letters(environment, sqs)
    notices_table = environment["NOTICES_TABLE"]
    return Operations(
        quarantine=quarantine,
        replay=Replay(quarantine=quarantine, inbox=replay),
        dead_letters=queues,
        erasure=Erasure(
            customers=SearchTable(dynamodb, table_name=environment["SEARCH_TABLE"]),
            orders=ErasableOrders(dynamodb, table_name=environment["ORDERS_TABLE"]),
            found_by_words=[
                QuarantineOfCustomers(quarantine),
                DeadLettersOfCustomers(queues),
                UnannouncedOfCustomers(_S3, bucket=environment["UNANNOUNCED_BUCKET"]),
            ],
            found_by_order=[
                NoticesOfCustomers(
                    dynamodb, table_name=notices_table, clock=lambda: datetime.now(UTC)
                )
            ],
        ),
        contacts=ContactsTable(dynamodb, table_name=environment["POLLS_TABLE"]),
        polls=PollStarts(
            client("lambda", config=FOR_A_RUN), function=environment["POLL_ORDERS_FUNCTION"]
        ),
        subscriptions=SubscriptionsTable(dynamodb, table_name=notices_table),
        endpoint_secrets=EndpointSecretsKeeper(
            client("secretsmanager", config=IMPATIENT),
            secret_id=environment["ENDPOINT_SECRETS_ARN"],
        ),
        allow_private_endpoints=environment["ALLOW_PRIVATE_ENDPOINTS"] == "true",
    )


def _dead_letters(environment: Mapping[str, str], sqs: Any) -> list[DeadLetterQueue]:
    functions = client("lambda", config=FOR_A_RUN)
    announce = environment["ANNOUNCE_FUNCTION"]
    ways: dict[str, Way] = {
        name: BackIntoQueue(sqs, queue_url=environment[f"{name.upper()}_QUEUE_URL"])
        for name in ("inbox", "email", "endpoint", "mail_events")
    }
    ways["announce"] = TellAgain(functions, _S3, announce=announce)
    ways["invocations"] = StartAgain(functions)
    patient = client("sqs")
    return [
        DeadLetterQueue(
            name=name,
            letters=SqsLetters(patient, queue_url=environment[f"{name.upper()}_DEAD_LETTERS_URL"]),
            way=way,
        )
        for name, way in ways.items()
    ]
