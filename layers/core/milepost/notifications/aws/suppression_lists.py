"""Lists and lifts suppressions, by NoticesTable's index."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.notices_keys import suppressed_address, suppression_key
from milepost.common.timestamps import sortable
from milepost.notifications.aws.earlier_shards import EarlierShards
from milepost.notifications.aws.list_keys import (
    BY_STATE,
    SUPPRESSIONS,
    earlier_shards_of,
    shards_of,
)
from milepost.notifications.aws.subscriptions import LIFT_KNOWN_FOR
from milepost.notifications.aws.suppressions import all_suppressions_of
from milepost.notifications.notice import Audience
from milepost.notifications.suppression import (
    Suppression,
    SuppressionId,
    SuppressionPage,
    SuppressionPlace,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class SuppressionListTable:
    """Implements ``suppression.Suppressions``."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name
        self._earlier = EarlierShards()

    def page(self, *, after: SuppressionPlace | None, limit: int) -> SuppressionPage:
        shards = [*shards_of([SUPPRESSIONS]), *earlier_shards_of([SUPPRESSIONS])]
        waiting = [one for one in sorted(shards) if self._earlier.newest(one) != ""]
        with ThreadPoolExecutor(len(waiting)) as readers:
            read = readers.map(lambda shard: self._newest(shard, after, limit + 1), waiting)
        found = [
            (place, item)
            for items in read
            for item in items
            if (place := _place(item)) and (after is None or _is_behind(place, after))
        ]
        # A stable sort: within one second, shards by name, and each shard as it was read.
        found.sort(key=lambda one: one[0].listed_at, reverse=True)
        shown = found[:limit]
        last = shown[-1][0] if len(found) > limit else None
        return SuppressionPage([_suppression(item) for _, item in shown], last)

    def of_address(self, address: str) -> list[Suppression]:
        found = [
            from_item(item) for key in all_suppressions_of(address) for item in self._query(key)
        ]
        return [_suppression({"address": address, **item}) for item in found if "reason" in item]

    def lift(self, id: SuppressionId, *, at: datetime) -> bool:
        it_is_suppressed = "attribute_exists(reason)"
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(
                    {
                        **_key(id),
                        "lifted_at": sortable(at),
                        "expires_at": int((at + LIFT_KNOWN_FOR).timestamp()),
                    }
                ),
                ConditionExpression=it_is_suppressed,
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _query(self, pk: str) -> list[dict[str, Any]]:
        answer = self._client.query(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_item({":pk": pk}),
        )
        items: list[dict[str, Any]] = answer["Items"]
        return items

    def _newest(
        self, shard: str, after: SuppressionPlace | None, count: int
    ) -> list[dict[str, Any]]:
        """The newest suppressions of a shard that may come after a position."""
        condition, values = "list_shard = :shard", {":shard": shard}
        start: dict[str, Any] = {}
        if after is not None:
            condition = f"{condition} AND listed_at <= :upper"
            values[":upper"] = after.listed_at
            start = {"ExclusiveStartKey": _start_key(after)} if shard == after.shard else {}
        answer = self._client.query(
            TableName=self._table,
            IndexName=BY_STATE,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=to_item(values),
            ScanIndexForward=False,
            Limit=count,
            **start,
        )
        items = [from_item(item) for item in answer["Items"]]
        if after is None and not items and shard not in shards_of([SUPPRESSIONS]):
            self._earlier.note(shard, "")
        return items


def _suppression(item: Mapping[str, Any]) -> Suppression:
    return Suppression(
        id=_id(item),
        address=item.get("address"),
        reason=item["reason"],
        since=item.get("suppressed_at") or item["listed_at"],
    )


def _id(item: Mapping[str, Any]) -> SuppressionId:
    digest, audience = suppressed_address(item)
    return SuppressionId(digest, Audience(audience) if audience else None)


def _place(item: Mapping[str, Any]) -> SuppressionPlace:
    return SuppressionPlace(item["listed_at"], item["list_shard"], _id(item))


def _is_behind(place: SuppressionPlace, after: SuppressionPlace) -> bool:
    """Whether it is on a later page; within the position's own shard, only later entries are
    read.
    """
    return place.listed_at < after.listed_at or place.shard >= after.shard


def _key(id: SuppressionId) -> dict[str, str]:
    return suppression_key(id.digest, id.audience)


def _start_key(place: SuppressionPlace) -> dict[str, Any]:
    return to_item({**_key(place.id), "list_shard": place.shard, "listed_at": place.listed_at})
