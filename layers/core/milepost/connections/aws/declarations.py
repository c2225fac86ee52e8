"""NoticesTable's record of the applied version of the connections, and the lock on applying.

The declared settings are stored in several services. One item represents all of them: whoever
changes any of them first takes the lease on this item, if it still has the version that was read.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from botocore.exceptions import ClientError

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.errors import item_in_the_way
from milepost.aws.notices_keys import DECLARATION
from milepost.common.timestamps import sortable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LEASE: Final = timedelta(minutes=5)
"""How long the lease lasts after it was last renewed."""


class ChangedSinceRead(Exception):
    """The declaration is no longer the one that was read; ``at`` says when it was changed."""

    def __init__(self, at: str | None) -> None:
        super().__init__(at)
        self.at = at


class BeingChanged(Exception):
    """Another process is changing the declaration now; ``until`` is the latest time at which that
    ends.
    """

    def __init__(self, until: str) -> None:
        super().__init__(until)
        self.until = until


class DeclarationsTable:
    """The version of the declaration, and the lease of the process that is changing it."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def version(self) -> str | None:
        """The current version; None before the first change."""
        answer = self._client.get_item(TableName=self._table, Key=_KEY, ConsistentRead=True)
        item = from_item(answer.get("Item", {}))
        version: str | None = item.get("version")
        return version

    def take(self, *, read: str | None, now: datetime) -> str:
        """Take the lease, if the version is still the one that was read.

        :returns: the lease's token, with which it is renewed and given back
        :raises ChangedSinceRead: when the version is another one by now
        :raises BeingChanged: when somebody else has the lease
        """
        as_it_was_read = "version = :read" if read else "attribute_not_exists(version)"
        nobody_has_it = "(attribute_not_exists(leased_until) OR leased_until < :now)"
        token = uuid4().hex
        values = {":token": token, ":now": sortable(now), ":until": sortable(now + LEASE)}
        try:
            self._update(
                "SET version = :token, changed_at = :now, leased_until = :until",
                f"{as_it_was_read} AND {nobody_has_it}",
                values | ({":read": read} if read else {}),
            )
        except ClientError as error:
            there = from_item(item_in_the_way(error))
            if there.get("version") == token:
                # The lease is already held: the SDK repeated the request because the first response
                # was lost.
                return token
            if there.get("leased_until", "") >= sortable(now):
                raise BeingChanged(there["leased_until"]) from None
            raise ChangedSinceRead(there.get("changed_at")) from None
        return token

    def renew(self, token: str, *, now: datetime) -> None:
        """Renew the lease while it is in use.

        :raises ChangedSinceRead: when it ended, and somebody else has taken it since
        """
        until = {":until": sortable(now + LEASE)}
        try:
            self._update("SET leased_until = :until", _IT_IS_OURS, {":token": token, **until})
        except ClientError as error:
            raise ChangedSinceRead(from_item(item_in_the_way(error)).get("changed_at")) from None

    def give_back(self, token: str, *, now: datetime) -> None:
        """End the lease with a new version, since other processes may have read half of the
        changes.
        """
        try:
            self._update(
                "SET version = :version, changed_at = :now REMOVE leased_until",
                _IT_IS_OURS,
                {":token": token, ":version": uuid4().hex, ":now": sortable(now)},
            )
        except ClientError as error:
            # Somebody else holds the lease now, and will end it.
            item_in_the_way(error)

    def _update(self, update: str, condition: str, values: dict[str, str]) -> None:
        self._client.update_item(
            TableName=self._table,
            Key=_KEY,
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeValues=to_item(values),
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )


_KEY: Final = to_item(DECLARATION)
_IT_IS_OURS: Final = "version = :token"
