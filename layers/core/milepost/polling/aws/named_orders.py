"""PollsTable: orders that a webhook only named, until they have been fetched.

They are two sets in the connection's item: ``named``, and ``fetching``, to which a run moves them
before it fetches. So nothing is lost when a run ends early, and an order that is named during its
fetch is fetched again.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.polls_keys import poll_key
from milepost.common.timestamps import parse_instant, sortable
from milepost.polling.named_orders import NamedOrder

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST: Final = 200
"""Maximum number of named orders of one connection; beyond it, a whole poll is cheaper."""
ASKED_AGAIN_AFTER: Final = timedelta(minutes=1)
"""A fetch that was started longer ago may have been lost."""
_QUIET, _ALOUD = "-", "+"


class TooManyNamed(Exception):
    """The connection has the maximum number of named orders."""


class NamedOrdersTable:
    """Stores named orders, and leases the named orders of a connection."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def add(self, connection_id: str, named: NamedOrder, *, now: datetime) -> bool:
        """Store a named order; an order that is named again is stored once. Returns whether the
        caller has to start a fetch: if several callers name orders at the same time, only one of
        them does.

        :raises TooManyNamed: when there are too many
        """
        there_is_room = "attribute_not_exists(named) OR size(named) < :most"
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=_key(connection_id),
                UpdateExpression="ADD named :one",
                ConditionExpression=there_is_room,
                ExpressionAttributeValues=to_item({":one": {_text(named)}, ":most": MOST}),
                ReturnValues="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            raise TooManyNamed from None
        before = from_item(answer.get("Attributes", {}))
        return _needs_start(before, now) and self._claim_start(connection_id, now)

    def _claim_start(self, connection_id: str, now: datetime) -> bool:
        nobody_started_it = "attribute_not_exists(fetch_asked_at) OR fetch_asked_at < :earlier"
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(connection_id),
                UpdateExpression="SET fetch_asked_at = :now",
                ConditionExpression=nobody_started_it,
                ExpressionAttributeValues=to_item(
                    {":now": sortable(now), ":earlier": sortable(now - ASKED_AGAIN_AFTER)}
                ),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def withdraw_start(self, connection_id: str) -> None:
        """Let the next named order start a fetch, because this one could not be started."""
        self._client.update_item(
            TableName=self._table,
            Key=_key(connection_id),
            UpdateExpression="REMOVE fetch_asked_at",
        )

    def lease(
        self, connection_id: str, *, now: datetime, duration: timedelta
    ) -> "NamedOrdersLease | None":
        """The lease on the named orders of a connection; None if another process holds it, if there
        are no orders, or if the provider asked to wait."""
        holder = uuid4().hex
        nobody_fetches = (
            "(attribute_exists(named) OR attribute_exists(fetching))"
            " AND (attribute_not_exists(fetch_until) OR fetch_until < :now)"
            " AND (attribute_not_exists(fetch_not_before) OR fetch_not_before < :now)"
        )
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=_key(connection_id),
                UpdateExpression="SET fetch_until = :until, fetch_holder = :holder",
                ConditionExpression=nobody_fetches,
                ExpressionAttributeValues=to_item(
                    {
                        ":now": sortable(now),
                        ":until": sortable(now + duration),
                        ":holder": holder,
                    }
                ),
                ReturnValues="ALL_NEW",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        left = from_item(answer["Attributes"]).get("fetching", set())
        return NamedOrdersLease(self._client, self._table, connection_id, holder, left)


class NamedOrdersLease:
    """Implements ``named_orders.Names``."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        connection_id: str,
        holder: str,
        left: Iterable[str],
    ) -> None:
        self._client = client
        self._table = table
        self._connection_id = connection_id
        self._holder = holder
        self._left = set(left)

    def take(self) -> list[NamedOrder]:
        if not self._left:
            self._move()
        found = {
            text[1:]: NamedOrder(text[1:], announce=text.startswith(_ALOUD))
            for text in sorted(self._left, reverse=True)
        }
        return sorted(found.values())

    def done(self, orders: Iterable[NamedOrder]) -> None:
        ids = {one.order_id for one in orders}
        gone = {text for text in self._left if text[1:] in ids}
        self._update("DELETE fetching :gone", {":gone": gone})
        self._left -= gone

    def release(self) -> bool:
        return self._update(
            "REMOVE fetch_until, fetch_holder, fetch_asked_at, fetch_not_before",
            {},
            only_if=" AND attribute_not_exists(named)",
        )

    def give_up(self, *, not_before: datetime | None) -> None:
        if not_before is None:
            self._update("REMOVE fetch_until, fetch_holder, fetch_not_before", {})
        else:
            self._update(
                "SET fetch_not_before = :later REMOVE fetch_until, fetch_holder",
                {":later": sortable(not_before)},
            )

    def _move(self) -> None:
        answer: dict[str, Any] = {}
        self._update(
            "SET fetching = named REMOVE named",
            {},
            only_if=" AND attribute_exists(named)",
            answer=answer,
        )
        self._left = set(from_item(answer).get("fetching", set()))

    def _update(
        self,
        expression: str,
        values: Mapping[str, Any],
        *,
        only_if: str = "",
        answer: dict[str, Any] | None = None,
    ) -> bool:
        """Change the item; False if another process holds the lease, or ``only_if`` is not met."""
        we_still_hold_it = "fetch_holder = :holder"
        try:
            said = self._client.update_item(
                TableName=self._table,
                Key=_key(self._connection_id),
                UpdateExpression=expression,
                ConditionExpression=f"{we_still_hold_it}{only_if}",
                ExpressionAttributeValues=to_item({**values, ":holder": self._holder}),
                ReturnValues="UPDATED_NEW",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        if answer is not None:
            answer.update(said.get("Attributes", {}))
        return True


def has_named(attributes: Mapping[str, Any]) -> bool:
    """Whether an item, as DynamoDB answers it, has orders that are still to be fetched."""
    return "named" in attributes or "fetching" in attributes


def _needs_start(before: Mapping[str, Any], now: datetime) -> bool:
    later = before.get("fetch_not_before")
    if later is not None and parse_instant(later) > now:
        return False
    # The process that is fetching now looks for further named orders before it ends.
    fetching = before.get("fetch_until")
    return fetching is None or parse_instant(fetching) <= now


def _text(named: NamedOrder) -> str:
    return f"{_ALOUD if named.announce else _QUIET}{named.order_id}"


def _key(connection_id: str) -> dict[str, Any]:
    return to_item(poll_key(connection_id))
