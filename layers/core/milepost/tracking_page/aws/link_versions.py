"""Versions of tracking links in NoticesTable, one for each order whose links were revoked.
Short: all that is stored of links."""

from datetime import datetime
from typing import TYPE_CHECKING

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.notices_keys import link_version_key
from milepost.common.timestamps import format_instant, parse_instant
from milepost.orders.order import OrderKey
from milepost.tracking_page.link import NEVER_REVOKED

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class LinkVersionsTable:
    """Implements ``link.LinkVersions``.

    The version is the instant of the last revocation, so that a revocation that is repeated, since
    its answer was lost, ends in the same state.
    """

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def current(self, key: OrderKey) -> int:
        """Read consistently, since a link that was just revoked must not work."""
        answer = self._client.get_item(
            TableName=self._table, Key=to_item(link_version_key(str(key))), ConsistentRead=True
        )
        item = answer.get("Item")
        if item is None:
            return NEVER_REVOKED
        return round(parse_instant(from_item(item)["revoked_at"]).timestamp() * 1_000)

    def revoke(self, key: OrderKey, *, at: datetime) -> None:
        item = {**link_version_key(str(key)), "revoked_at": format_instant(at)}
        self._client.put_item(TableName=self._table, Item=to_item(item))
