"""Custom templates of connections in NoticesTable."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from milepost.aws.dynamodb_items import from_item, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEEP_SECONDS: Final = 300

Place = tuple[str, str, str]
"""Which mail a template is for: kind, audience, language."""


class OverridesTable:
    """Implements ``custom_templates.Overrides``: a connection's templates are read together and
    kept.

    ``clock`` gives seconds; what was read counts for at most 5 minutes.
    """

    def __init__(
        self, client: "DynamoDBClient", *, table_name: str, clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._table = table_name
        self._clock = clock
        self._known: dict[str, tuple[float, Mapping[Place, str]]] = {}

    def get(self, connection_id: str, kind: str, audience: str, language: str) -> str | None:
        read_at, templates = self._known.get(connection_id, (float("-inf"), {}))
        if self._clock() - read_at > KEEP_SECONDS:
            templates = self.of_connection(connection_id)
            self._known[connection_id] = (self._clock(), templates)
        return templates.get((kind, audience, language))

    def of_connection(self, connection_id: str) -> dict[Place, str]:
        """The sources of a connection's own templates, as they are now."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_item({":pk": _templates_of(connection_id)}),
        )
        items = [from_item(item) for page in pages for item in page["Items"]]
        return {
            place: item["source"]
            for item in items
            if (place := _place(item["sk"])) and isinstance(item.get("source"), str)
        }

    def put(self, connection_id: str, place: Place, source: str) -> None:
        """Keep a template that ``check_override`` has passed."""
        item = {"pk": _templates_of(connection_id), "sk": "#".join(place), "source": source}
        self._client.put_item(TableName=self._table, Item=to_item(item))

    def delete(self, connection_id: str, place: Place) -> None:
        """Go back to our text; one that is gone already is no error."""
        key = to_item({"pk": _templates_of(connection_id), "sk": "#".join(place)})
        self._client.delete_item(TableName=self._table, Key=key)


def _templates_of(connection_id: str) -> str:
    return f"templates#{connection_id}"


def _place(sort_key: str) -> Place | None:
    """None for an item that is no template of ours: the standard text is used."""
    parts = sort_key.split("#")
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else None
