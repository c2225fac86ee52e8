"""The checkpoint of the watch for overdue commissions, in NoticesTable. Short: one item."""

from typing import TYPE_CHECKING

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.notices_keys import COMMISSIONS_CHECKPOINT
from milepost.common.timestamps import format_instant, parse_instant
from milepost.queries.commission_watch import Place

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class CommissionCheckpoint:
    """Implements ``commission_watch.Checkpoint``."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def place(self) -> Place | None:
        answer = self._client.get_item(TableName=self._table, Key=to_item(COMMISSIONS_CHECKPOINT))
        if "Item" not in answer:
            return None
        item = from_item(answer["Item"])
        return Place(parse_instant(item["until"]), item["order"])

    def mark(self, place: Place) -> None:
        said = {"until": format_instant(place.at), "order": place.order}
        item = to_item({**COMMISSIONS_CHECKPOINT, **said})
        self._client.put_item(TableName=self._table, Item=item)
