"""Unsubscribing in AWS: the key that signs links, and the suppression that is written."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from milepost.aws.dynamodb_items import to_item
from milepost.aws.notices_keys import suppression_key
from milepost.aws.signing_keys import KeysStore
from milepost.common.timestamps import format_instant
from milepost.notifications.aws.list_keys import suppression_listing
from milepost.notifications.aws.subscriptions import SubscriptionsTable
from milepost.notifications.mail.unsubscribe import NoLinkKey
from milepost.notifications.notice import Audience

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient


class LinkKeysStore(KeysStore):
    """Implements ``unsubscribe.LinkKeys``."""

    def __init__(
        self, client: "SecretsManagerClient", *, secret_id: str, clock: Callable[[], float]
    ) -> None:
        super().__init__(
            client, secret_id=secret_id, clock=clock, of="unsubscribe links", unreadable=NoLinkKey
        )


class EndingsTable:
    """Implements ``unsubscribe.Endings`` by NoticesTable."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name
        self._subscriptions = SubscriptionsTable(client, table_name=table_name)

    def end_subscription(self, subscription_id: str, *, reason: str) -> None:
        self._subscriptions.end_all_of(subscription_id, reason=reason)

    def end_recipient(self, digest: str, *, reason: str) -> None:
        self._subscriptions.end_all_at(digest, reason=reason)

    def suppress_customer(self, digest: str, *, reason: str, at: datetime) -> None:
        """Suppress an address for its customer; an existing suppression keeps its reason."""
        it_is_not_suppressed = "attribute_not_exists(reason)"
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(
                    {
                        **suppression_key(digest, Audience.CUSTOMER),
                        "reason": reason,
                        "suppressed_at": format_instant(at),
                        **suppression_listing(digest, at=at),
                    }
                ),
                ConditionExpression=it_is_not_suppressed,
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return
