"""Requests with an idempotency key, stored in NoticesTable."""

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.errors import item_in_the_way
from milepost.aws.notices_keys import request_key
from milepost.common.idempotency import KeyReused
from milepost.notifications.aws.delivery_log_items import expiry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class RequestsTable:
    """Implements ``idempotency.Requests``."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def contents(self, operation: str, key: str) -> str | None:
        answer = self._client.get_item(
            TableName=self._table, Key=_key(operation, key), ConsistentRead=True
        )
        item = answer.get("Item")
        return str(from_item(item)["contents"]) if item else None

    def enter(self, operation: str, key: str, contents: str, *, at: datetime) -> None:
        no_other_request_came_with_it = "attribute_not_exists(pk) OR contents = :contents"
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    **_key(operation, key),
                    **to_item({"contents": contents, "expires_at": expiry(at)}),
                },
                ConditionExpression=no_other_request_came_with_it,
                ExpressionAttributeValues=to_item({":contents": contents}),
            )
        except ClientError as error:
            item_in_the_way(error)
            raise KeyReused from None


def _key(operation: str, key: str) -> dict[str, Any]:
    # Hashed, since a key is chosen by the caller and may contain anything.
    name = hashlib.sha256(f"{operation} {key}".encode()).hexdigest()[:32]
    return to_item(request_key(name))
