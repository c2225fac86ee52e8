"""The delivery log as reconciliation reads it."""

from datetime import datetime
from typing import TYPE_CHECKING

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.notices_keys import ANNOUNCEMENTS_CHECKPOINT, item_prefix, sequence_of
from milepost.common.timestamps import parse_instant, sortable
from milepost.notifications.aws.delivery_log_items import notices_of
from milepost.notifications.notice import FOR_CONTACT_ALONE, Channel, State
from milepost.orders.order import OrderKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class AnnouncementLogTable:
    """Implements ``reconciliation.AnnouncementLog``."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def fully_notified(self, key: OrderKey) -> frozenset[int]:
        # The topic's entry is settled last: then all other recipients are in the log.
        # Announcements for the contact alone are not published to the topic.
        topic_was_notified = "(channel = :sns AND #state <> :queued)"
        for_contact = {f":kind{place}": str(kind) for place, kind in enumerate(FOR_CONTACT_ALONE)}
        contact_was_notified = f"kind IN ({', '.join(for_contact)})"
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :item)",
            FilterExpression=f"{topic_was_notified} OR {contact_was_notified}",
            ProjectionExpression="sk",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues=to_item(
                {
                    ":pk": notices_of(key),
                    ":item": item_prefix(key.item_id),
                    ":sns": str(Channel.SNS),
                    ":queued": str(State.QUEUED),
                    **for_contact,
                }
            ),
        )
        sorts = (from_item(item)["sk"] for page in pages for item in page["Items"])
        return frozenset(sequence_of(sort, item_id=key.item_id) for sort in sorts)

    def looked_through_until(self) -> datetime | None:
        answer = self._client.get_item(TableName=self._table, Key=to_item(ANNOUNCEMENTS_CHECKPOINT))
        item = answer.get("Item")
        return parse_instant(from_item(item)["until"]) if item else None

    def mark_looked_through(self, *, until: datetime) -> None:
        self._client.put_item(
            TableName=self._table,
            Item=to_item({**ANNOUNCEMENTS_CHECKPOINT, "until": sortable(until)}),
        )
