"""Calls of endpoints in the delivery log, and their retries."""

import json
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from botocore.exceptions import ClientError

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.errors import item_in_the_way
from milepost.aws.notices_keys import DUE, due_sort_key
from milepost.common.timestamps import format_instant, sortable
from milepost.notifications.aws.claims import CLAIM_HOLDS, NOBODY_CLAIMS_IT
from milepost.notifications.aws.counted_failures import Failed
from milepost.notifications.aws.delivery_log_items import expiry, notice_key
from milepost.notifications.aws.list_keys import notice_listing, state_listing
from milepost.notifications.aws.topic_and_queues import NoticeQueue, batch_message, notice_message
from milepost.notifications.claims import AlreadyClaimed, Batch, batch_id
from milepost.notifications.notice import Channel, Notice, State

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

logger = logging.getLogger(__name__)

LONGEST_DELAY: Final = timedelta(minutes=15)
"""The longest delay of an SQS message."""

ATTEMPT: Final = "attempt"
"""The attribute in which a message states how many calls had failed before it. A lower number than
in the log is that of a copy of a message that was processed; a higher one is that of a message
whose sender was killed after it was sent."""


def attempt_of(message: Mapping[str, Any]) -> int:
    """How many calls for this message's notice had failed when the message was sent."""
    return int(message.get(ATTEMPT, 0))


class EndpointCallLog:
    """Implements ``delivery.CallLog`` in NoticesTable."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def claim(self, notice: Notice, *, attempt: int, at: datetime, until: datetime) -> str | None:
        it_waits_to_be_sent = "#state = :queued"
        no_later_attempt_is_due = "(attribute_not_exists(attempts) OR attempts <= :attempt)"
        token = uuid4().hex
        try:
            self._update(
                notice,
                "SET claimed_until = :until, claimed_by = :token",
                f"{it_waits_to_be_sent} AND {no_later_attempt_is_due} AND {NOBODY_CLAIMS_IT}",
                {
                    ":queued": str(State.QUEUED),
                    ":attempt": attempt,
                    ":now": sortable(at),
                    ":until": sortable(until),
                    ":token": token,
                },
            )
        except ClientError as error:
            there = from_item(item_in_the_way(error))
            if there.get("state") == State.QUEUED and there.get("attempts", 0) <= attempt:
                raise AlreadyClaimed(notice.id) from None
            return None
        return token

    def release(self, notice: Notice, *, claim: str) -> bool:
        return self._update_claimed(notice, "REMOVE claimed_until, claimed_by", claim, {})

    def postpone(self, notice: Notice, *, reason: str, retry_at: datetime, claim: str) -> bool:
        return self._update_claimed(
            notice,
            "SET reason = :reason, retry_at = :retry_at REMOVE claimed_until, claimed_by",
            claim,
            {":reason": reason, ":retry_at": format_instant(retry_at)},
        )

    def mark_delivered(
        self, notice: Notice, *, attempt: int, message_id: str, at: datetime
    ) -> None:
        # Whatever its state, and whoever claims it: the endpoint has it, and that is what the log
        # is to say. It takes the claim with it, so that nobody writes a failure over it.
        it_was_not_forgotten = "attribute_exists(pk)"
        self._update_if(
            it_was_not_forgotten,
            notice,
            "SET #state = :state, delivered_at = :at, attempts = :attempts,"
            " message_id = :message_id, list_shard = :list_shard,"
            " listed_at = if_not_exists(listed_at, :listed_at)"
            " REMOVE claimed_until, claimed_by, retry_at, reason",
            {
                ":state": str(State.DELIVERED),
                ":at": format_instant(at),
                ":attempts": attempt + 1,
                ":message_id": message_id,
                **_values(notice_listing(State.DELIVERED, notice.recipient_hash, at=at)),
            },
        )

    def mark_retried(
        self, notice: Notice, *, attempt: int, reason: str, retry_at: datetime, claim: str
    ) -> bool:
        return self._update_claimed(
            notice,
            "SET attempts = :attempts, reason = :reason, retry_at = :retry_at"
            " REMOVE claimed_until, claimed_by",
            claim,
            {
                ":attempts": attempt + 1,
                ":reason": reason,
                ":retry_at": format_instant(retry_at),
            },
        )

    def close(
        self,
        notice: Notice,
        *,
        state: State,
        reason: str,
        at: datetime,
        attempts: int,
        claim: str,
    ) -> bool:
        listed = _values(state_listing(state, notice.recipient_hash, at=at))
        more = "".join(f", {name[1:]} = {name}" for name in listed)
        return self._update_claimed(
            notice,
            f"SET #state = :state, {state}_at = :at, attempts = :attempts, reason = :reason{more}"
            " REMOVE claimed_until, claimed_by, retry_at",
            claim,
            {
                ":state": str(state),
                ":at": format_instant(at),
                ":attempts": attempts,
                ":reason": reason,
                **listed,
            },
        )

    def _update_claimed(
        self, notice: Notice, update: str, claim: str, values: Mapping[str, Any]
    ) -> bool:
        """Write while the claim is held and the notice is waiting; otherwise return False."""
        condition = f"#state = :queued AND {CLAIM_HOLDS}"
        checked = {":queued": str(State.QUEUED), ":claim": claim}
        return self._update_if(condition, notice, update, {**values, **checked})

    def _update_if(
        self, condition: str, notice: Notice, update: str, values: Mapping[str, Any]
    ) -> bool:
        try:
            self._update(notice, update, condition, values)
        except ClientError as error:
            item_in_the_way(error)
            logger.info("a call for %s was not logged: the claim was lost", notice.id)
            return False
        return True

    def _update(
        self, notice: Notice, update: str, condition: str, values: Mapping[str, Any]
    ) -> None:
        self._client.update_item(
            TableName=self._table,
            Key=to_item(notice_key(notice)),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues=to_item(values),
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )


def _values(listed: Mapping[str, str]) -> dict[str, str]:
    return {f":{name}": value for name, value in listed.items()}


class EndpointRetries:
    """Implements ``delivery.Retries`` and ``held_notices.BatchRetries``: by SQS if the retry is
    soon, otherwise by release_notices."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str, queue: NoticeQueue) -> None:
        self._client = client
        self._table = table_name
        self._queue = queue

    def put(self, notice: Notice, *, attempt: int, delay: timedelta, now: datetime) -> None:
        message = {**notice_message(notice), ATTEMPT: attempt}
        self._put(message, notice.id, delay=delay, now=now)

    def put_batch(self, batch: Batch, *, attempt: int, delay: timedelta, now: datetime) -> None:
        message = {**batch_message(batch), ATTEMPT: attempt}
        self._put(message, batch_id(batch), delay=delay, now=now)

    def _put(
        self, message: Mapping[str, Any], name: str, *, delay: timedelta, now: datetime
    ) -> None:
        if delay <= LONGEST_DELAY:
            self._queue.put_message(message, delay=delay)
            return
        due_at = now + delay
        item = {
            "pk": DUE,
            "sk": due_sort_key(due_at, channel=Channel.HTTPS, name=name),
            "message": json.dumps(message),
            "expires_at": expiry(due_at),
        }
        self._client.put_item(TableName=self._table, Item=to_item(item))


class CountedCalls(EndpointCallLog):
    """Notices to endpoints."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str, failed: Failed) -> None:
        super().__init__(client, table_name=table_name)
        self._failed = failed

    def close(self, notice: Notice, *, state: State, **closing: Any) -> bool:
        was_open = super().close(notice, state=state, **closing)
        if was_open and state is State.FAILED:
            self._failed(notice)
        return was_open
