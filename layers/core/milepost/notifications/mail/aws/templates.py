"""Custom templates of connections in NoticesTable."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from milepost.aws.cached_reader import CachedReader
from milepost.aws.dynamodb_items import from_item, to_item
from milepost.aws.notices_keys import template_key, template_place, templates_partition

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Place = tuple[str, str, str]
"""Which mail a template is for: kind, audience, language."""


class OverridesTable:
    """Implements ``custom_templates.Overrides``: all templates of a connection are read together
    and cached.

    ``clock`` gives seconds; templates are cached for at most 5 minutes.
    """

    def __init__(
        self, client: "DynamoDBClient", *, table_name: str, clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._table = table_name
        self._clock = clock
        self._known: dict[str, CachedReader[dict[Place, str]]] = {}

    def get(self, connection_id: str, kind: str, audience: str, language: str) -> str | None:
        if connection_id not in self._known:
            self._known[connection_id] = CachedReader(
                partial(self.of_connection, connection_id), clock=self._clock
            )
        return self._known[connection_id].get().get((kind, audience, language))

    def of_connection(self, connection_id: str) -> dict[Place, str]:
        """The sources of a connection's custom templates, without the cache."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_item({":pk": templates_partition(connection_id)}),
            # Consistent, since the result is compared with what was just applied or removed.
            ConsistentRead=True,
        )
        items = [from_item(item) for page in pages for item in page["Items"]]
        return {
            place: item["source"]
            for item in items
            if (place := template_place(item["sk"])) and isinstance(item.get("source"), str)
        }

    def put(self, connection_id: str, place: Place, source: str) -> None:
        """Store a template that ``check_override`` has accepted."""
        item = {**_key(connection_id, place), "source": source}
        self._client.put_item(TableName=self._table, Item=to_item(item))

    def delete(self, connection_id: str, place: Place) -> None:
        """Delete a custom template, so that the built-in one is used; a missing one is not an
        error."""
        self._client.delete_item(TableName=self._table, Key=to_item(_key(connection_id, place)))


def _key(connection_id: str, place: Place) -> dict[str, str]:
    kind, audience, language = place
    return template_key(connection_id, kind=kind, audience=audience, language=language)
