"""Where something of a customer is kept in AWS, and how it is removed there."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from milepost.aws.deliveries import Delivery
from milepost.aws.holds import DUE
from milepost.aws.items import from_item, to_item
from milepost.aws.notices_table import item_in_the_way
from milepost.aws.orders_table import OrdersReader, key_of, order_item, tracked_order
from milepost.aws.quarantine import Quarantine
from milepost.connection import Connection
from milepost.dead_letters import DeadLetter, DeadLetterQueue
from milepost.erasing import ERASED_RECIPIENT, Subject
from milepost.notices import Audience, NoticeId, State
from milepost.order import OrderKey, TrackedOrder
from milepost.recording import LostRace
from milepost.replaying import KeptId, NotKept
from milepost.report import format_instant

_NOT_OF_TOMBSTONES: Final = ("status_shard", "next_date", "expected_by", "track")
"""Without these an item is in no list, and nothing of it is ever due."""
_ALL_LETTERS: Final = 10_000


class ErasableOrders(OrdersReader):
    """Implements ``erasing.Orders``, for orders of any connection, also of one that is gone."""

    def bury(self, tombstone: TrackedOrder) -> None:
        nobody_wrote_since_we_read = "version = :seen"
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(self._tombstone_item(tombstone)),
                ConditionExpression=nobody_wrote_since_we_read,
                ExpressionAttributeValues=to_item({":seen": tombstone.version - 1}),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            winner = tracked_order(from_item(item_in_the_way(error)))
            if winner != tombstone:
                raise LostRace(winner) from None

    def _tombstone_item(self, tombstone: TrackedOrder) -> dict[str, Any]:
        key = tombstone.order.key
        provider = self._client.get_item(
            TableName=self._table, Key=to_item(key_of(key)), ProjectionExpression="provider"
        )["Item"]["provider"]["S"]
        # Deadlines are not kept, so the settings that they come from don't matter.
        bare = Connection(id=key.connection, provider=provider, base_url="")
        item = order_item(tombstone, connection=bare, new=())
        return {name: value for name, value in item.items() if name not in _NOT_OF_TOMBSTONES}


class NoticesOfCustomers:
    """Implements ``erasing.Trace``: addresses in the delivery log, and mails that are held.

    What the team was told stays: it names nobody but the team.
    """

    name = "notices"

    def __init__(self, client: Any, *, table_name: str, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._table = table_name
        self._clock = clock

    def erase(self, subject: Subject) -> int:
        entries = list(self._entries(subject))
        digests = {NoticeId.parse(one["id"]).recipient_digest for one in entries}
        for due in self._query(DUE):
            self._erase_due(due, subject, digests)
        return sum(self._erase_entry(one) for one in entries)

    def _entries(self, subject: Subject) -> Iterator[Mapping[str, Any]]:
        for connection, order_id in sorted(subject.groups):
            for one in self._query(f"order#{connection}#{order_id}"):
                if one.get("audience") == Audience.CUSTOMER and "id" in one:
                    yield one

    def _erase_entry(self, entry: Mapping[str, Any]) -> bool:
        if entry.get("recipient") in (None, ERASED_RECIPIENT):
            return False
        sets, removes, values = ["recipient = :erased"], ["claimed_until"], dict[str, str]()
        if entry["state"] == State.QUEUED:
            # Before its mail is written: the sender finds nothing that waits to be sent.
            sets += ["#state = :skipped", "skipped_at = :at", "reason = :reason"]
            values |= {":skipped": str(State.SKIPPED), ":at": format_instant(self._clock())}
            values[":reason"] = "the order was erased"
        else:
            # What a mail server said may quote the address.
            removes.append("reason")
        it_stands_as_we_read_it = "#state = :state"
        try:
            self._client.update_item(
                TableName=self._table,
                Key=to_item({"pk": entry["pk"], "sk": entry["sk"]}),
                UpdateExpression=f"SET {', '.join(sets)} REMOVE {', '.join(removes)}",
                ConditionExpression=it_stands_as_we_read_it,
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues=to_item(
                    {":erased": ERASED_RECIPIENT, ":state": entry["state"], **values}
                ),
            )
        except ClientError as error:
            return self._erase_entry(from_item(item_in_the_way(error)))
        return True

    def _erase_due(self, due: Mapping[str, Any], subject: Subject, digests: set[str]) -> None:
        """Of what waits for its time: a mail by itself, or what is held for a digest."""
        message = json.loads(due["message"])
        if batch := message.get("batch"):
            digest = batch["recipient_digest"]
            if digest.removesuffix(f"-{Audience.CUSTOMER}") in digests:
                for held in self._query(f"held#{digest}#{batch['due_at']}"):
                    if "message" in held and _is_about(json.loads(held["message"]), subject):
                        self._delete(held)
        elif message.get("audience") == Audience.CUSTOMER and _is_about(message, subject):
            self._delete(due)

    def _query(self, pk: str) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_item({":pk": pk}),
        )
        return [from_item(item) for page in pages for item in page["Items"]]

    def _delete(self, item: Mapping[str, Any]) -> None:
        key = to_item({"pk": item["pk"], "sk": item["sk"]})
        self._client.delete_item(TableName=self._table, Key=key)


def _is_about(message: Mapping[str, Any], subject: Subject) -> bool:
    return (message.get("connection"), message.get("order_id")) in subject.groups


class QuarantineOfCustomers:
    """Implements ``erasing.Trace``: what could not be read and names a customer or their order."""

    name = "quarantined"

    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine

    def erase(self, subject: Subject) -> int:
        return sum(
            self._erase_one(kept.id, subject)
            for connection in sorted(subject.connections)
            for kept in self._quarantine.walk(connection_id=connection)
        )

    def _erase_one(self, kept_id: KeptId, subject: Subject) -> bool:
        try:
            _, body = self._quarantine.get(kept_id)
        except NotKept:
            return False
        if not subject.is_named_in(body):
            return False
        self._quarantine.remove(kept_id)
        return True


class DeadLettersOfCustomers:
    """Implements ``erasing.Trace``: messages that name a customer or their order."""

    name = "dead_letters"

    def __init__(self, queues: Sequence[DeadLetterQueue]) -> None:
        self._queues = queues

    def erase(self, subject: Subject) -> int:
        return sum(self._erase_in(queue, subject) for queue in self._queues)

    def _erase_in(self, queue: DeadLetterQueue, subject: Subject) -> int:
        count = 0
        # What can't be seen may name them: better to be asked again than to leave it there.
        for letter in queue.letters.walk(most=_ALL_LETTERS, whole=True):
            if subject.is_named_in(_text_of(letter)):
                queue.give_up(letter)
                count += 1
        return count


def _text_of(letter: DeadLetter) -> bytes:
    """What a letter says; a delivery's body stands there in base64."""
    try:
        return Delivery.from_message(letter.body).body
    except (ValueError, KeyError, TypeError):
        return letter.body.encode()


class UnannouncedOfCustomers:
    """Implements ``erasing.Trace``: records of the stream that could not be announced."""

    name = "unannounced"

    def __init__(self, make_client: Callable[[], Any], *, bucket: str) -> None:
        self._make_client = make_client
        self._bucket = bucket

    def erase(self, subject: Subject) -> int:
        pages = self._make_client().get_paginator("list_objects_v2").paginate(Bucket=self._bucket)
        keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
        return sum(self._erase_in(key, subject) for key in keys)

    def _erase_in(self, key: str, subject: Subject) -> int:
        answer = self._make_client().get_object(Bucket=self._bucket, Key=key)
        kept = json.loads(answer["Body"].read())
        records = json.loads(kept["payload"])["Records"]
        others = [one for one in records if _group_of(one) not in _partitions(subject)]
        if len(others) == len(records):
            return 0
        if others:
            kept["payload"] = json.dumps({"Records": others})
            body = json.dumps(kept).encode()
            self._make_client().put_object(Bucket=self._bucket, Key=key, Body=body)
        else:
            self._make_client().delete_object(Bucket=self._bucket, Key=key)
        return len(records) - len(others)


def _group_of(record: Mapping[str, Any]) -> str:
    pk: str = record["dynamodb"]["Keys"]["pk"]["S"]
    return pk


def _partitions(subject: Subject) -> set[str]:
    return {key_of(OrderKey(*group, ""))["pk"] for group in subject.groups}
