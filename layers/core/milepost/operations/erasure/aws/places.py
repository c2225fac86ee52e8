"""Every place that may hold a customer's data, and how each is searched.

``PLACES`` lists them by the resources of template.yaml; docs/erasure.md describes them. A test
checks that no table, bucket or queue is missing.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Final

from milepost.actions.aws.scheduler import ActionSchedules
from milepost.aws.clients import client
from milepost.aws.queue_urls import dead_letter_urls
from milepost.connections.connection import Connections, UnknownConnection, UnusableConnection
from milepost.exports.aws.bucket import ExportFiles
from milepost.exports.aws.table import ExportsTable
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.operations.dead_letters import DeadLetterQueue
from milepost.operations.erasure.aws.dead_letters import DeadLettersOfCustomers
from milepost.operations.erasure.aws.exports import ExportsOfCustomers
from milepost.operations.erasure.aws.notices import NoticesOfCustomers, SubscriptionsOfCustomers
from milepost.operations.erasure.aws.orders import ErasableOrders, PlannedActions
from milepost.operations.erasure.aws.quarantine import QuarantineOfCustomers, Reader
from milepost.operations.erasure.aws.stream_records import SearchIndexBehind, UnannouncedOfCustomers
from milepost.operations.erasure.aws.table import ErasuresTable
from milepost.operations.erasure.aws.views import ViewsOfCustomers
from milepost.operations.erasure.erase import Erasure
from milepost.quarantine.aws.store import Quarantine
from milepost.queries.aws.saved_views import ViewsTable
from milepost.queries.aws.search import SearchTable

PLACES: Final[Mapping[str, str]] = {
    "OrdersTable": "orders: found by the search index; each becomes a tombstone",
    "NoticesTable": "notices, subscriptions: looked through entry by entry, addresses compared",
    "SearchTable": "entries of the customer go with each order, words and references with the"
    " record of the stream that its tombstone makes",
    "ErasuresTable": "nothing of anybody: erasures are remembered by salted hashes, for 16 days",
    "FiguresTable": "the tombstone's record of the stream takes out reference and customer",
    "PollsTable": "nothing of anybody: cursors, leases and errors without data",
    "TouchedTable": "nothing of anybody: hashes of order ids, for 8 days",
    "DigestsBucket": "nothing of anybody: hashes of pages",
    "QuarantineBucket": "quarantined: each body is read and compared",
    "UnannouncedBucket": "unannounced: each record is compared by its order and customer",
    "ActivityTable": "nothing: ids and settings, with a digest of an erased customer's id",
    "ViewsTable": "saved_views: names, ids and filters are searched; what names them is shown",
    "SessionsTable": "nothing: sessions of people who sign in, and of no customer",
    "InboxDeadLetters": "dead_letters: each delivery is read and compared",
    "EmailDeadLetters": "dead_letters: recipients are compared",
    "EndpointDeadLetters": "dead_letters: team notices, which name nobody",
    "MailEventsDeadLetters": "dead_letters: recipients are compared",
    "AnnounceFailures": "dead_letters: names of objects in UnannouncedBucket",
    "FailedInvocations": "dead_letters: orders that are named are compared",
    "MeasureFailures": "search_index: places in the stream; how many are there is said",
    "InboxQueue": "in flight: what is recorded later is refused, as the erasure is remembered",
    "EmailQueue": "in flight: the sender finds the notice closed; what fails is a dead letter",
    "EndpointQueue": "in flight: the order is read again before each call",
    "MailEventsQueue": "in flight: an erased recipient is not written to the log again",
    "BatchesTable": "nothing of anybody: ids of orders; texts go when a batch ends, or after a day"
    " if it isn't started; the rest after 30 days",
    "BatchQueue": "nothing of anybody: ids of batches",
    "BatchDeadLetters": "nothing of anybody: ids of batches",
    "ExportsBucket": "exports: a file is deleted whose index names their order or address",
    "ExportsTable": "filters, until the export has ended, and for a day at most; then nothing",
    "ActionSchedules": "planned_actions: called off; a plan holds ids alone",
}
"""What each resource may hold, with its name in the result of an erasure."""


class SecondsOnce:
    """Implements ``place.Budget``."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._until = clock() + seconds

    def start(self) -> None:
        self._until = self._clock() + self._seconds

    def has_time(self) -> bool:
        return self._clock() < self._until


def open_erasure(
    environment: Mapping[str, str],
    *,
    dead_letters: Sequence[DeadLetterQueue],
    connections: Connections,
    seconds: float,
    views: ViewsTable | None = None,
) -> Erasure:
    """The erasure service for the stack that the environment variables name.

    :param seconds: how long large places are searched
    :param views: saved views, which are only shown; None where nobody sees what is left
    """
    dynamodb = client("dynamodb")
    budget, reader = SecondsOnce(seconds), Reader(connections=connections)
    notices_table, search_table = environment["NOTICES_TABLE"], environment["SEARCH_TABLE"]
    return Erasure(
        customers=SearchTable(dynamodb, table_name=search_table),
        orders=ErasableOrders(dynamodb, table_name=environment["ORDERS_TABLE"]),
        places=[
            NoticesOfCustomers(
                dynamodb,
                table_name=notices_table,
                clock=lambda: datetime.now(UTC),
                budget=budget,
            ),
            SubscriptionsOfCustomers(SubscriptionsTable(dynamodb, table_name=notices_table)),
            QuarantineOfCustomers(
                Quarantine(_S3, bucket=environment["QUARANTINE_BUCKET"]), reader, budget
            ),
            DeadLettersOfCustomers(dead_letters, reader, budget),
            ExportsOfCustomers(
                ExportFiles(_S3, bucket=environment["EXPORTS_BUCKET"]),
                ExportsTable(dynamodb, table_name=environment["EXPORTS_TABLE"]),
                budget,
            ),
            UnannouncedOfCustomers(_S3, bucket=environment["UNANNOUNCED_BUCKET"]),
            SearchIndexBehind(client("sqs"), queue_url=dead_letter_urls(environment)["measure"]),
            *([ViewsOfCustomers(views.of_everybody)] if views else []),
        ],
        memory=ErasuresTable(dynamodb, table_name=environment["ERASURES_TABLE"]),
        plans=PlannedActions(
            ActionSchedules(
                client("scheduler"),
                group=environment["ACTION_SCHEDULES_GROUP"],
                role_arn="",
                function_arn="",
                dead_letters_arn="",
            )
        ),
        budget=budget,
        country_of=lambda connection: _country(connections, connection),
    )


def _country(connections: Connections, connection_id: str) -> str | None:
    try:
        return connections.get(connection_id).country
    except (UnknownConnection, UnusableConnection):
        return None


_S3 = cache(lambda: client("s3"))
"""Seldom needed, and the slowest client to create."""
