"""NoticesTable: the delivery log. Its items, and how long they are kept: ``delivery_log_items``."""

from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.errors import item_in_the_way
from milepost.aws.notices_keys import NOTICE_PREFIX
from milepost.common.timestamps import parse_instant
from milepost.notifications.aws.claims import NoticeClaims
from milepost.notifications.aws.delivery_log_items import key_of_notice, notice_item, notices_of
from milepost.notifications.dispatch import Entered
from milepost.notifications.notice import NoticeId, State
from milepost.notifications.recipients import Choice
from milepost.orders.order import OrderKey


class NoticesTable(NoticeClaims):
    """Implements ``dispatch.DeliveryLog`` and, by ``NoticeClaims``, ``claims.Claims``."""

    def of_order(self, key: OrderKey) -> list[dict[str, Any]]:
        """The log's entries of one provider order, sorted by announcement."""
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
