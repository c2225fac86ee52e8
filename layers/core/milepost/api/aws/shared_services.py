"""Shared parts of the API's services, and rarely needed services, created at their first use.

The modules of the latter are imported then as well: otherwise every cold start would be a tenth
longer.
"""

# ruff: noqa: PLC0415 - see above

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from milepost.api.dependencies import Acting
from milepost.aws.clients import FOR_LINKS, INTERACTIVE_CONFIG, client
from milepost.aws.public_url import read_public_url
from milepost.aws.signing_keys import KeysStore
from milepost.connections.aws.settings import ConnectionSettings
from milepost.providers.registry import REGISTRY

if TYPE_CHECKING:
    from botocore.config import Config

    from milepost.actions.batch_plan import BatchPlanner
    from milepost.exports.start import ExportDesk
    from milepost.notifications.resend import Resender
    from milepost.operations.services import Operations
    from milepost.tracking_page.link import TrackingLinks


class SharedServices:
    """Settings, keys and the client of DynamoDB; and methods that create a service at the first
    call, and return the same service later."""

    def __init__(
        self, environment: Mapping[str, str], *, clock: Callable[[], datetime], config: "Config"
    ) -> None:
        """:param config: timeouts of calls, except those for which somebody always waits"""
        self.dynamodb = client("dynamodb", config=config)
        self.connections = ConnectionSettings(
            client("ssm", config=config),
            path=environment["CONNECTIONS_PATH"],
            clock=time.monotonic,
            providers=REGISTRY,
        )
        self.cursor_keys = KeysStore(
            client("secretsmanager", config=config),
            secret_id=environment["CURSOR_SECRET_ARN"],
            clock=time.monotonic,
            of="cursors and links",
        )
        self._environment = environment
        self._clock = clock
        self._config = config
        self.public_url = cache(self._read_public_url)
        self.resender = cache(self._open_resender)
        self.acting = cache(self._open_acting)
        self.batches = cache(self._open_batches)
        self.operations = cache(self._open_operations)
        self.exports = cache(self._open_exports)
        self.tracking_links = cache(self._open_tracking_links)

    def _read_public_url(self) -> str:
        """The public URL of the API."""
        return read_public_url(
            client("ssm", config=self._config),
            connections_path=self._environment["CONNECTIONS_PATH"],
        )

    def _open_resender(self) -> "Resender":
        from milepost.notifications.aws.resend import open_resender

        return open_resender(
            dynamodb=self.dynamodb,
            sqs=client("sqs", config=INTERACTIVE_CONFIG),
            connections=self.connections,
            orders_table=self._environment["ORDERS_TABLE"],
            notices_table=self._environment["NOTICES_TABLE"],
            email_queue_url=self._environment["EMAIL_QUEUE_URL"],
            endpoint_queue_url=self._environment["ENDPOINT_QUEUE_URL"],
        )

    def _open_acting(self) -> Acting:
        from milepost.actions.aws.context import open_action_tools

        return open_action_tools(
            self._environment,
            dynamodb=self.dynamodb,
            connections=self.connections,
            clock=self._clock,
        )

    def _open_batches(self) -> "BatchPlanner":
        from milepost.actions.aws.batches import BatchesTable, BatchWork
        from milepost.actions.batch_plan import BatchPlanner
        from milepost.orders.aws.consistent_reads import ConsistentOrders

        return BatchPlanner(
            batches=BatchesTable(self.dynamodb, table_name=self._environment["BATCHES_TABLE"]),
            queue=BatchWork(
                client("sqs", config=INTERACTIVE_CONFIG),
                queue_url=self._environment["BATCH_QUEUE_URL"],
            ),
            orders=ConsistentOrders(self.dynamodb, table_name=self._environment["ORDERS_TABLE"]),
            connections=self.connections,
            open_resender=self.resender,
            clock=self._clock,
        )

    def _open_operations(self) -> "Operations":
        from milepost.operations.aws.services import open_operations

        return open_operations(
            self._environment,
            connections=self.connections,
            public_url=self.public_url,
            clock=self._clock,
        )

    def _open_exports(self) -> "ExportDesk":
        from milepost.exports.aws.bucket import ExportFiles
        from milepost.exports.aws.job import ExportJobs
        from milepost.exports.aws.table import ExportsTable
        from milepost.exports.start import ExportDesk

        return ExportDesk(
            exports=ExportsTable(self.dynamodb, table_name=self._environment["EXPORTS_TABLE"]),
            files=ExportFiles(
                cache(lambda: client("s3", config=FOR_LINKS)),
                bucket=self._environment["EXPORTS_BUCKET"],
            ),
            jobs=ExportJobs(
                client("lambda", config=INTERACTIVE_CONFIG),
                function=self._environment["MAKE_EXPORTS_FUNCTION"],
            ),
            clock=self._clock,
        )

    def _open_tracking_links(self) -> "TrackingLinks":
        from milepost.tracking_page.aws.link_versions import LinkVersionsTable
        from milepost.tracking_page.link import TrackingLinks

        versions = LinkVersionsTable(self.dynamodb, table_name=self._environment["NOTICES_TABLE"])
        return TrackingLinks(keys=self.cursor_keys, versions=versions)
