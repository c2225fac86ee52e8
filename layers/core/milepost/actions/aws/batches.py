"""BatchesTable, and the queue of running batches."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from milepost.actions.batch import Batch, BatchPlace, BatchState, Target, TargetState
from milepost.aws.dynamodb_batches import write_items
from milepost.aws.dynamodb_items import as_int, from_item, to_item
from milepost.common.timestamps import format_instant, parse_instant, sortable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

KEEP: Final = timedelta(days=30)
"""How long a batch is known: ids of orders, and the outcome of each."""
KEEP_PLANNED: Final = timedelta(days=1)
"""How long a batch that nobody starts is stored. It can be started for an hour. Its text may name a
customer, and no erasure looks for it here."""
_LIST: Final = "batches"
"""The partition that lists all batches by their time."""
_ENDED: Final = frozenset({BatchState.STOPPED, BatchState.FINISHED})


class BatchesTable:
    """Implements ``batch.Batches``."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def put(self, batch: Batch, targets: Sequence[Target]) -> None:
        expires_at = int((batch.created_at + KEEP).timestamp())
        listed = {
            **_list_key(BatchPlace(f"{batch.created_at:%Y-%m-%dT%H:%M:%S.%fZ}", batch.id)),
            "batch": batch.id,
            "expires_at": expires_at,
        }
        self._put_all(chain((_target_item(batch.id, one, expires_at) for one in targets), [listed]))
        # The batch itself last: without it, what broke off on the way is none.
        self._client.put_item(
            TableName=self._table,
            Item=to_item(
                {
                    **_batch_key(batch.id),
                    "action": batch.action,
                    "arguments": dict(batch.arguments),
                    "person": batch.person,
                    "start_token": batch.token,
                    "created_at": format_instant(batch.created_at),
                    "targets": batch.total,
                    "charges": batch.charges,
                    "batch_state": str(batch.state),
                    "expires_at": int((batch.created_at + KEEP_PLANNED).timestamp()),
                    "kept_until": expires_at,
                }
            ),
        )

    def page(
        self, *, after: BatchPlace | None, limit: int
    ) -> tuple[list[Batch], BatchPlace | None]:
        start: dict[str, Any] = {"ExclusiveStartKey": to_item(_list_key(after))} if after else {}
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :list",
            ExpressionAttributeValues=to_item({":list": _LIST}),
            ScanIndexForward=False,
            Limit=limit,
            **start,
        )
        ids = [from_item(item)["batch"] for item in answer["Items"]]
        # What broke off while it was planned is on the list, and is no batch.
        found = [one for one in map(self.find, ids) if one is not None]
        last = answer.get("LastEvaluatedKey")
        if last is None:
            return found, None
        created_at, _, batch_id = from_item(last)["sk"].partition("#")
        return found, BatchPlace(created_at, batch_id)

    def find(self, batch_id: str) -> Batch | None:
        answer = self._client.get_item(
            TableName=self._table, Key=to_item(_batch_key(batch_id)), ConsistentRead=True
        )
        if "Item" not in answer:
            return None
        item = from_item(answer["Item"])
        return Batch(
            id=batch_id,
            action=item["action"],
            person=item["person"],
            token=item["start_token"],
            created_at=parse_instant(item["created_at"]),
            total=as_int(item["targets"]),
            charges=as_int(item.get("charges", 0)),
            state=BatchState(item["batch_state"]),
            arguments=item.get("arguments", {}),
            started_by=item.get("started_by"),
        )

    def targets(self, batch_id: str) -> list[Target]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :target)",
            ExpressionAttributeValues=to_item({":pk": f"batch#{batch_id}", ":target": "target#"}),
        )
        return [_target(from_item(item)) for page in pages for item in page["Items"]]

    def move(
        self, batch_id: str, *, to: BatchState, starts: frozenset[BatchState], by: str | None = None
    ) -> bool:
        it_may_move = " OR ".join(f"batch_state = :{state}" for state in sorted(starts))
        # Earlier versions stored no other time, from the beginning.
        kept = "expires_at = if_not_exists(kept_until, expires_at)"
        update = f"SET batch_state = :to, {kept}" + (", started_by = :by" if by else "")
        update += " REMOVE arguments" if to in _ENDED else ""
        return self._update(
            _batch_key(batch_id),
            update,
            it_may_move,
            {":to": str(to), ":by": by, **{f":{state}": str(state) for state in starts}},
        )

    def claim(self, batch_id: str, number: int, *, at: datetime, until: datetime) -> str | None:
        token = uuid4().hex
        it_waits = "target_state = :waiting"
        nobody_has_it = "(attribute_not_exists(claimed_until) OR claimed_until < :now)"
        is_ours = self._update(
            _target_key(batch_id, number),
            "SET claimed_until = :until, claimed_by = :token ADD attempts :one",
            f"{it_waits} AND {nobody_has_it}",
            {
                ":waiting": str(TargetState.WAITING),
                ":now": sortable(at),
                ":until": sortable(until),
                ":token": token,
                ":one": 1,
            },
        )
        return token if is_ours else None

    def settle(
        self,
        batch_id: str,
        number: int,
        *,
        state: TargetState,
        why: str | None,
        at: datetime,
        claim: str,
    ) -> bool:
        removed = "claimed_until, claimed_by" + ("" if why else ", why")
        said = ", why = :why" if why else ""
        return self._update(
            _target_key(batch_id, number),
            f"SET target_state = :state, settled_at = :at{said} REMOVE {removed}",
            "claimed_by = :claim",
            {":state": str(state), ":at": format_instant(at), ":why": why, ":claim": claim},
        )

    def _update(
        self, key: Mapping[str, str], update: str, condition: str, values: Mapping[str, Any]
    ) -> bool:
        try:
            self._client.update_item(
                TableName=self._table,
                Key=to_item(key),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=to_item(values),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _put_all(self, items: Iterable[dict[str, Any]]) -> None:
        requests = ({"PutRequest": {"Item": to_item(item)}} for item in items)
        write_items(self._client, self._table, requests)


class BatchWork:
    """Implements ``batch.BatchQueue``."""

    def __init__(self, client: "SQSClient", *, queue_url: str) -> None:
        self._client = client
        self._url = queue_url

    def put(self, batch_id: str, *, delay: timedelta = timedelta(0)) -> None:
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=json.dumps({"batch": batch_id}),
            DelaySeconds=int(delay.total_seconds()),
        )


def _list_key(place: BatchPlace) -> dict[str, str]:
    return {"pk": _LIST, "sk": f"{place.created_at}#{place.id}"}


def _batch_key(batch_id: str) -> dict[str, str]:
    return {"pk": f"batch#{batch_id}", "sk": "batch"}


def _target_key(batch_id: str, number: int) -> dict[str, str]:
    return {"pk": f"batch#{batch_id}", "sk": f"target#{number:06d}"}


def _target_item(batch_id: str, one: Target, expires_at: int) -> dict[str, Any]:
    return {
        **_target_key(batch_id, one.number),
        "target": one.id,
        "target_state": str(one.state),
        "why": one.why,
        "expires_at": expires_at,
    }


def _target(item: Mapping[str, Any]) -> Target:
    return Target(
        number=int(item["sk"].removeprefix("target#")),
        id=item["target"],
        state=TargetState(item["target_state"]),
        why=item.get("why"),
        at=item.get("settled_at"),
        attempts=as_int(item.get("attempts", 0)),
    )
