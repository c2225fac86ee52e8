"""Held notices in NoticesTable: batches for a digest, and when each is due."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from botocore.exceptions import ClientError

from milepost.aws.dynamodb_batches import write_items
from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.errors import item_in_the_way
from milepost.aws.notices_keys import (
    DUE,
    NOTICE_PREFIX,
    batch_key,
    batch_partition,
    channel_of_due,
    due_sort_key,
    due_until,
    held_sort_key,
    hour_key,
)
from milepost.common.timestamps import format_instant, sortable
from milepost.notifications.aws.claims import CLAIM_HOLDS, NOBODY_CLAIMS_IT
from milepost.notifications.aws.delivery_log_items import expiry
from milepost.notifications.aws.topic_and_queues import batch_message, notice_message, notice_of
from milepost.notifications.claims import AlreadyClaimed, Batch, Claimed, fingerprint
from milepost.notifications.notice import Channel, Notice

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

logger = logging.getLogger(__name__)

_COUNTED_FOR: Final = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Due:
    """A message that is due, and the channel whose queue it is put into."""

    sort_key: str
    channel: Channel
    message: Mapping[str, Any]
    token: str
    """The version of the marker: a marker that was written again must not be deleted."""


class HoldsTable:
    """Implements ``dispatch.Holds`` and ``sender.Holds``."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def count(self, notice: Notice, *, hour: datetime) -> int:
        answer = self._client.update_item(
            TableName=self._table,
            Key=to_item(hour_key(notice.recipient_hash, notice.key.connection, hour)),
            UpdateExpression="ADD notices :one SET expires_at = :expires_at",
            ExpressionAttributeValues=to_item(
                {":one": 1, ":expires_at": int((hour + _COUNTED_FOR).timestamp())}
            ),
            ReturnValues="UPDATED_NEW",
        )
        return int(answer["Attributes"]["notices"]["N"])

    def hold(self, notice: Notice, *, due_at: datetime) -> None:
        batch = Batch.of(notice, due_at=due_at)
        self._put(_held_of(batch), held_sort_key(notice.id), notice_message(notice), at=due_at)
        # Chats share the queue of endpoints; the version before this one knows no other channel.
        queue = Channel.EMAIL if notice.channel is Channel.EMAIL else Channel.HTTPS
        sort_key = due_sort_key(due_at, channel=queue, name=batch.recipient_hash)
        self._put(DUE, sort_key, batch_message(batch), at=due_at)

    def due(self, *, until: datetime) -> Iterator[Due]:
        """The messages that are due by then, the oldest first."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk < :until",
            ExpressionAttributeValues=to_item({":pk": DUE, ":until": due_until(until)}),
        )
        for page in pages:
            for item in page["Items"]:
                values = from_item(item)
                channel = Channel(channel_of_due(values["sk"]))
                message = json.loads(values["message"])
                yield Due(values["sk"], channel, message, values.get("token", ""))

    def done(self, due: Due) -> None:
        is_unchanged = "attribute_not_exists(#token) OR #token = :token"
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=to_item({"pk": DUE, "sk": due.sort_key}),
                ConditionExpression=is_unchanged,
                ExpressionAttributeNames={"#token": "token"},
                ExpressionAttributeValues=to_item({":token": due.token}),
            )
        except ClientError as error:
            item_in_the_way(error)

    def held(self, batch: Batch) -> Sequence[Notice]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :notice)",
            ExpressionAttributeValues=to_item({":pk": _held_of(batch), ":notice": NOTICE_PREFIX}),
        )
        return [
            notice_of(json.loads(item["message"]["S"])) for page in pages for item in page["Items"]
        ]

    def claim_batch(self, batch: Batch, *, at: datetime, until: datetime) -> Claimed:
        token = uuid4().hex
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=_batch_key(batch),
                UpdateExpression="SET claimed_until = :until, claimed_by = :token,"
                " expires_at = :expires_at",
                ConditionExpression=NOBODY_CLAIMS_IT,
                ExpressionAttributeValues=to_item(
                    {
                        ":now": sortable(at),
                        ":until": sortable(until),
                        ":token": token,
                        ":expires_at": expiry(at),
                    }
                ),
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            item_in_the_way(error)
            raise AlreadyClaimed(batch.recipient_hash) from None
        item = from_item(answer["Attributes"])
        notified = item.get("told")
        return Claimed(
            item.get("message_id"), None if notified is None else frozenset(notified), token
        )

    def release_batch(self, batch: Batch, *, claim: str) -> bool:
        return self._update_claimed(batch, "REMOVE claimed_until, claimed_by", claim, {})

    def keep_batch_claim(self, batch: Batch, *, claim: str, until: datetime) -> bool:
        values = {":until": sortable(until)}
        return self._update_claimed(batch, "SET claimed_until = :until", claim, values)

    def mark_batch_sent(
        self,
        batch: Batch,
        notices: Sequence[Notice],
        *,
        message_id: str,
        at: datetime,
        claim: str,
    ) -> bool:
        # Still claimed: otherwise another sender would send the rest at the same time.
        return self._update_claimed(
            batch,
            "SET message_id = :message_id, sent_at = :at, told = :told",
            claim,
            {
                ":message_id": message_id,
                ":at": format_instant(at),
                ":told": {fingerprint(notice) for notice in notices},
            },
        )

    def let_go(self, batch: Batch, notices: Sequence[Notice]) -> None:
        pk = _held_of(batch)
        keys = (to_item({"pk": pk, "sk": held_sort_key(one.id)}) for one in notices)
        requests = ({"DeleteRequest": {"Key": key}} for key in keys)
        write_items(self._client, self._table, requests)

    def close_batch(self, batch: Batch, *, claim: str) -> bool:
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=_batch_key(batch),
                ConditionExpression=CLAIM_HOLDS,
                ExpressionAttributeValues=to_item({":claim": claim}),
            )
        except ClientError as error:
            return _lost(error, batch)
        return True

    def _update_claimed(
        self, batch: Batch, update: str, claim: str, values: Mapping[str, Any]
    ) -> bool:
        """Write to the batch if the claim is still held; False if it has been lost."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_batch_key(batch),
                UpdateExpression=update,
                ConditionExpression=CLAIM_HOLDS,
                ExpressionAttributeValues=to_item({**values, ":claim": claim}),
            )
        except ClientError as error:
            return _lost(error, batch)
        return True

    def _put(self, pk: str, sk: str, message: Mapping[str, Any], *, at: datetime) -> None:
        item = {
            "pk": pk,
            "sk": sk,
            "message": json.dumps(message),
            "token": uuid4().hex,
            "expires_at": expiry(at),
        }
        self._client.put_item(TableName=self._table, Item=to_item(item))


def _lost(error: ClientError, batch: Batch) -> bool:
    item_in_the_way(error)
    logger.info("the claim on the batch of %s was lost", batch.recipient_hash)
    return False


def _held_of(batch: Batch) -> str:
    return batch_partition(batch.recipient_hash, format_instant(batch.due_at))


def _batch_key(batch: Batch) -> dict[str, Any]:
    return to_item(batch_key(batch.recipient_hash, format_instant(batch.due_at)))
