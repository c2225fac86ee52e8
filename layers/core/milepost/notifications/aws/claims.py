"""Claims on notices in NoticesTable, and the outcomes that holders of claims write."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final
from uuid import uuid4

from botocore.exceptions import ClientError

from milepost.aws.dynamodb_batches import do_in_parallel, get_items, parts_of
from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.errors import item_in_the_way
from milepost.common.timestamps import format_instant, sortable
from milepost.notifications.aws.delivery_log_items import notice_key
from milepost.notifications.aws.list_keys import state_listing
from milepost.notifications.claims import AlreadyClaimed
from milepost.notifications.notice import Notice, State

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

logger = logging.getLogger(__name__)

_TOGETHER: Final = 100
"""The maximum number of items in one TransactWriteItems or BatchGetItem."""
_IT_WAITS: Final = "#state = :queued"
CLAIM_HOLDS: Final = "claimed_by = :claim"
NOBODY_CLAIMS_IT: Final = "(attribute_not_exists(claimed_until) OR claimed_until < :now)"


class NoticeClaims:
    """Implements ``claims.Claims``.

    A condition of each write holds the claim: no other worker's, or this worker's own token.
    """

    state_of_sent: ClassVar[State] = State.SENT
    """The state of a notice whose batch was sent."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def claim(self, notice: Notice, *, at: datetime, until: datetime) -> str | None:
        token = uuid4().hex
        try:
            self._client.update_item(
                TableName=self._table,
                Key=to_item(notice_key(notice)),
                UpdateExpression="SET claimed_until = :until, claimed_by = :token",
                ConditionExpression=f"{_IT_WAITS} AND {NOBODY_CLAIMS_IT}",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues=to_item(
                    {
                        ":queued": str(State.QUEUED),
                        ":now": sortable(at),
                        ":until": sortable(until),
                        ":token": token,
                    }
                ),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            old = from_item(item_in_the_way(error))
            if old.get("state") == State.QUEUED:
                raise AlreadyClaimed(notice.id) from None
            return None
        return token

    def release(self, notice: Notice, *, claim: str) -> bool:
        update = {
            "Key": to_item(notice_key(notice)),
            "UpdateExpression": "REMOVE claimed_until, claimed_by",
            "ConditionExpression": CLAIM_HOLDS,
            "ExpressionAttributeValues": to_item({":claim": claim}),
        }
        return self._write(notice, update, "released")

    def keep_claim(self, notice: Notice, *, claim: str, until: datetime) -> bool:
        update = {
            "Key": to_item(notice_key(notice)),
            "UpdateExpression": "SET claimed_until = :until",
            "ConditionExpression": CLAIM_HOLDS,
            "ExpressionAttributeValues": to_item({":claim": claim, ":until": sortable(until)}),
        }
        return self._write(notice, update, "claimed for longer")

    def waiting(self, notices: Sequence[Notice]) -> Sequence[Notice]:
        queued = {
            (item["pk"]["S"], item["sk"]["S"])
            for item in self._get([to_item(notice_key(notice)) for notice in notices])
            if item["state"]["S"] == State.QUEUED
        }
        keys = ((notice, notice_key(notice)) for notice in notices)
        return [notice for notice, key in keys if (key["pk"], key["sk"]) in queued]

    def mark_sent(
        self, notice: Notice, *, message_id: str, at: datetime, claim: str | None = None
    ) -> bool:
        # The mail's outcome may already be logged: it was delivered, or it bounced.
        return self._settle(notice, State.SENT, at, claim, message_id=message_id)

    def note_message(self, notice: Notice, *, message_id: str) -> bool:
        update = {
            "Key": to_item(notice_key(notice)),
            "UpdateExpression": "SET message_id = :message_id",
            "ConditionExpression": _IT_WAITS,
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": to_item(
                {":queued": str(State.QUEUED), ":message_id": message_id}
            ),
        }
        return self._write(notice, update, "published")

    def mark_all_sent(
        self, notices: Sequence[Notice], *, message_id: str, at: datetime, digest: str
    ) -> None:
        more = {"message_id": message_id, "digest": digest}
        updates = [_setting(one, self.state_of_sent, at, **more) for one in notices]
        self._write_all(notices, updates, self.state_of_sent)

    def postpone_all(self, notices: Sequence[Notice], *, reason: str, retry_at: datetime) -> None:
        """Log why notices that are sent together are still waiting, and until when."""
        updates = [_waiting(one, reason=reason, retry_at=retry_at) for one in notices]
        self._write_all(notices, updates, "waiting")

    def _write_all(
        self, notices: Sequence[Notice], updates: Sequence[Mapping[str, Any]], what: str
    ) -> None:
        def write(part: Sequence[tuple[Notice, Mapping[str, Any]]]) -> None:
            actions: list[Any] = [
                {"Update": {"TableName": self._table, **update}} for _, update in part
            ]
            try:
                self._client.transact_write_items(TransactItems=actions)
            except ClientError as error:
                if error.response["Error"]["Code"] != "TransactionCanceledException":
                    raise
                # One notice in another state prevents the whole transaction.
                for notice, update in part:
                    self._write(notice, update, what)

        do_in_parallel(write, parts_of([*zip(notices, updates, strict=True)], _TOGETHER))

    def close(
        self,
        notice: Notice,
        *,
        state: State,
        reason: str,
        at: datetime,
        claim: str | None = None,
    ) -> bool:
        return self._settle(notice, state, at, claim, reason=reason)

    def _settle(
        self, notice: Notice, state: State, at: datetime, claim: str | None, **more: str
    ) -> bool:
        """Write unless the notice's state has changed, or another worker holds the claim."""
        update = _setting(notice, state, at, **more)
        fence = CLAIM_HOLDS if claim else NOBODY_CLAIMS_IT
        update["ConditionExpression"] += f" AND {fence}"
        checked = {":claim": claim} if claim else {":now": sortable(at)}
        update["ExpressionAttributeValues"] |= to_item(checked)
        return self._write(notice, update, state)

    def _write(self, notice: Notice, update: Mapping[str, Any], what: str) -> bool:
        try:
            self._client.update_item(TableName=self._table, **update)
        except ClientError as error:
            item_in_the_way(error)
            logger.info("%s was not logged as %s: the claim was lost", notice.id, what)
            return False
        return True

    def _get(self, keys: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        return get_items(self._client, self._table, keys, ConsistentRead=True)


def _setting(notice: Notice, state: State, at: datetime, **more: str) -> dict[str, Any]:
    """The update that moves a waiting notice to a state."""
    listed = state_listing(state, notice.recipient_hash, at=at)
    # Why it has waited doesn't matter any more.
    forgotten = ", reason" if state is State.DELIVERED else ""
    values = {f"{state}_at": format_instant(at), **listed, **more}
    sets = ", ".join(f"{name} = :{name}" for name in values)
    return {
        "Key": to_item(notice_key(notice)),
        "UpdateExpression": f"SET #state = :state, {sets}"
        f" REMOVE claimed_until, claimed_by, due_at, retry_at{forgotten}",
        "ConditionExpression": _IT_WAITS,
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": to_item(
            {
                ":state": str(state),
                ":queued": str(State.QUEUED),
                **{f":{name}": value for name, value in values.items()},
            }
        ),
    }


def _waiting(notice: Notice, *, reason: str, retry_at: datetime) -> dict[str, Any]:
    return {
        "Key": to_item(notice_key(notice)),
        "UpdateExpression": "SET reason = :reason, retry_at = :retry_at",
        "ConditionExpression": _IT_WAITS,
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": to_item(
            {
                ":queued": str(State.QUEUED),
                ":reason": reason,
                ":retry_at": format_instant(retry_at),
            }
        ),
    }
