"""Versions of tracking links in NoticesTable: an item for each order whose links were revoked."""

from datetime import datetime
from typing import TYPE_CHECKING

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.common.timestamps import format_instant
from milepost.orders.order import OrderKey
from milepost.tracking_page.link import FIRST_VERSION

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class LinkVersionsTable:
    """Implements ``link.LinkVersions``."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def current(self, key: OrderKey) -> int:
        """Read consistently: a link that was revoked a moment ago must not work."""
        answer = self._client.get_item(
            TableName=self._table, Key=to_item(_key_of(key)), ConsistentRead=True
        )
        item = answer.get("Item")
        return int(from_item(item)["version"]) if item else FIRST_VERSION

    def revoke(self, key: OrderKey, *, at: datetime) -> int:
        """Add 1 to the version. If the SDK repeats the request, it adds 1 again: no harm, since
        a link is only valid with the current version."""
        answer = self._client.update_item(
            TableName=self._table,
            Key=to_item(_key_of(key)),
            UpdateExpression="SET version = if_not_exists(version, :first) + :one, "
            "revoked_at = :at",
            ExpressionAttributeValues=to_item(
                {":first": FIRST_VERSION, ":one": 1, ":at": format_instant(at)}
            ),
            ReturnValues="UPDATED_NEW",
        )
        return int(from_item(answer["Attributes"])["version"])


def _key_of(key: OrderKey) -> dict[str, str]:
    return {"pk": f"tracking#{key}", "sk": "version"}
