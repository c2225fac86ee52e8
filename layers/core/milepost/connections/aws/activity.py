"""Reads PollsTable: a connection's latest polls, and its last webhook."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from milepost.aws.dynamodb_items import as_int, from_item, to_item
from milepost.aws.errors import item_in_the_way
from milepost.aws.polls_keys import (
    connection_of_poll,
    connection_of_shape,
    poll_key,
    shape_key,
)
from milepost.common.timestamps import parse_instant, sortable
from milepost.connections.aws.drift import drift_in
from milepost.connections.aws.poll_requests import read_requests
from milepost.connections.health import Contact

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

AT_MOST_EVERY: Final = timedelta(minutes=1)
"""How often one process notes a connection's webhook: a write for each webhook would cost too
much."""

UNREADABLE: Final = "the stored state of its polls can't be read"


class ContactsTable:
    """The latest polls and webhooks of connections."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def get(self, connection_id: str) -> Contact:
        """The activity of one connection; empty if it was never polled and never sent a webhook."""
        # A missing request counts as fulfilled, so the read has to be consistent.
        answer = self._client.get_item(
            TableName=self._table, Key=_key(connection_id), ConsistentRead=True
        )
        shape = self._client.get_item(
            TableName=self._table,
            Key=to_item(shape_key(connection_id)),
            ConsistentRead=True,
        )
        contact = _contact(from_item(answer.get("Item", {})))
        return replace(contact, drift=drift_in(from_item(shape.get("Item", {}))))

    def all(self) -> Mapping[str, Contact]:
        """The activity of each connection that was polled or sent a webhook, by id."""
        pages = self._client.get_paginator("scan").paginate(TableName=self._table)
        items = {item["pk"]["S"]: from_item(item) for page in pages for item in page["Items"]}
        found = {
            name: _contact(item)
            for pk, item in items.items()
            if (name := connection_of_poll(pk)) is not None
        }
        for pk, item in items.items():
            if (name := connection_of_shape(pk)) is not None:
                found[name] = replace(found.get(name, Contact()), drift=drift_in(item))
        return found


class LastWebhooks:
    """Stores when a connection's last webhook arrived, at most once a minute."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name
        self._noted: dict[str, datetime] = {}

    def note(self, connection_id: str, *, at: datetime) -> None:
        """Store the time, unless a time of the same minute or a later one is stored."""
        if at - self._noted.get(connection_id, at - AT_MOST_EVERY) < AT_MOST_EVERY:
            return
        no_later_one_is_noted = "attribute_not_exists(last_webhook_at) OR last_webhook_at < :at"
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(connection_id),
                UpdateExpression="SET last_webhook_at = :at",
                ConditionExpression=no_later_one_is_noted,
                ExpressionAttributeValues=to_item({":at": sortable(at)}),
            )
        except self._client.exceptions.ClientError as error:
            item_in_the_way(error)
        self._noted[connection_id] = at


def _key(connection_id: str) -> dict[str, Any]:
    return to_item(poll_key(connection_id))


def _contact(item: Mapping[str, Any]) -> Contact:
    """The activity of one connection; if its item can't be read, only this connection fails."""
    try:
        return _read(item)
    except (ValueError, TypeError, ArithmeticError):
        return Contact(failures=1, last_error=UNREADABLE)


def _read(item: Mapping[str, Any]) -> Contact:
    return Contact(
        last_success_at=_instant(item.get("last_success_at")),
        last_failure_at=_instant(item.get("last_failure_at")),
        last_error=item.get("last_error"),
        failures=as_int(item.get("failures", 0)),
        not_before=_instant(item.get("not_before")),
        polling_until=_instant(item.get("lease_until")),
        is_paused="progress" in item,
        cursor=_instant(item.get("poll_cursor")),
        last_webhook_at=_instant(item.get("last_webhook_at")),
        requests=read_requests(item),
    )


def _instant(text: str | None) -> datetime | None:
    return parse_instant(text) if text else None
