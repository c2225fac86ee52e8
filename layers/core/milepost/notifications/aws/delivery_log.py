"""NoticesTable: the delivery log."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final
from uuid import uuid4

from botocore.exceptions import ClientError

from milepost.aws.dynamodb_batches import do_in_parallel, get_items, parts_of
from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.errors import item_in_the_way
from milepost.aws.notices_keys import NOTICE_PREFIX, notice_sort_key, order_partition
from milepost.common.timestamps import format_instant, parse_instant, sortable
from milepost.notifications.aws.list_keys import notice_listing, state_listing
from milepost.notifications.claims import AlreadyClaimed
from milepost.notifications.dispatch import Entered
from milepost.notifications.notice import FOR_READERS, Notice, NoticeId, State
from milepost.notifications.recipients import Choice
from milepost.orders.order import OrderKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

logger = logging.getLogger(__name__)

KEEP: Final = timedelta(days=400)
"""How long the log keeps a notice: more than a year, so that complaints can be answered."""

_TOGETHER: Final = 100
"""The maximum number of items in one TransactWriteItems or BatchGetItem."""
_IT_WAITS: Final = "#state = :queued"
CLAIM_HOLDS: Final = "claimed_by = :claim"
NOBODY_CLAIMS_IT: Final = "(attribute_not_exists(claimed_until) OR claimed_until < :now)"


class NoticesTable:
    """Implements ``dispatch.DeliveryLog`` and ``claims.Claims``."""

    state_of_sent: ClassVar[State] = State.SENT
    """The state of a notice whose batch was sent."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def of_order(self, key: OrderKey) -> list[dict[str, Any]]:
        """The log's entries of one provider order, in the order of their announcements."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :notice)",
            ExpressionAttributeValues=to_item({":pk": notices_of(key), ":notice": NOTICE_PREFIX}),
        )
        return [from_item(item) for page in pages for item in page["Items"]]

    def find(self, identity: NoticeId) -> dict[str, Any] | None:
        """The log's entry of one notice."""
        answer = self._client.get_item(TableName=self._table, Key=to_item(key_of_notice(identity)))
        item = answer.get("Item")
        return from_item(item) if item else None

    def enter(self, choice: Choice, *, at: datetime) -> Entered:
        it_is_not_there = "attribute_not_exists(pk)"
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(notice_item(choice, at=at)),
                ConditionExpression=it_is_not_there,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            there = from_item(item_in_the_way(error))
            due_at = parse_instant(there["due_at"]) if "due_at" in there else None
            return Entered(
                State(there["state"]),
                due_at,
                is_new=False,
                is_retried="retry_at" in there,
                requested_with=there.get("requested_with"),
                message_id=there.get("message_id"),
            )
        return Entered(State.SKIPPED if choice.skipped else State.QUEUED, choice.due_at)

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
        """Log why notices that are sent together still wait, and until when."""
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
        """Write unless the notice has changed its state, or another worker holds the claim."""
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


def notice_key(notice: Notice) -> dict[str, str]:
    """The primary key of a notice."""
    return key_of_notice(NoticeId.parse(notice.id))


def key_of_notice(identity: NoticeId) -> dict[str, str]:
    """The primary key by id. Notices of one provider order are stored together, sorted by
    announcement."""
    sort_key = notice_sort_key(
        item_id=identity.key.item_id,
        sequence=identity.sequence,
        channel=identity.channel,
        recipient_hash=identity.recipient_hash,
        copy=identity.copy,
    )
    return {"pk": notices_of(identity.key), "sk": sort_key}


def notices_of(key: OrderKey) -> str:
    """The partition of an order's notices."""
    return order_partition(key.connection, key.order_id)


def notice_item(choice: Choice, *, at: datetime) -> dict[str, Any]:
    """The item of a new notice: queued, held until it is due, or skipped with the reason."""
    notice = choice.notice
    state = State.SKIPPED if choice.skipped else State.QUEUED
    return {
        **notice_key(notice),
        "id": notice.id,
        "kind": str(notice.announcement.kind),
        "channel": str(notice.channel),
        "recipient": notice.recipient or None,
        "audience": str(notice.audience),
        "language": notice.language if notice.channel in FOR_READERS else None,
        "subscription": notice.subscription,
        "state": str(state),
        "reason": choice.skipped or choice.waits_for,
        "due_at": format_instant(choice.due_at) if choice.due_at else None,
        f"{state}_at": format_instant(at),
        **notice_listing(state, notice.recipient_hash, at=at),
        "resend_of": choice.resend_of,
        "requested_by": choice.requested_by,
        "requested_with": choice.requested_with,
        "forced": notice.forced or None,
        "occurred_at": format_instant(notice.announcement.occurred_at),
        "expires_at": expiry(at),
    }


def expiry(at: datetime) -> int:
    """When an entry made now expires, in seconds since the epoch."""
    return int((at + KEEP).timestamp())
