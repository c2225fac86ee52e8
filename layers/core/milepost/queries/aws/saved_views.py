"""ViewsTable: saved views of each person and of the team."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.common.strict_json import canonical_json
from milepost.queries.saved_views import MOST_VIEWS, Shared, TooManyViews, View

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TEAM = "team"


class ViewsTable:
    """Implements ``saved_views.SavedViews``."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def of(self, subject: str) -> list[View]:
        return [*self._read(_person(subject), Shared.OWN), *self._read(_TEAM, Shared.TEAM)]

    def put(self, view: View, *, subject: str) -> None:
        place = _place_of(view, subject)
        there = {one.id for one in self._read(place, view.shared)}
        if view.id not in there and len(there) >= MOST_VIEWS:
            raise TooManyViews
        filters = {name: list(values) for name, values in view.filters.items()}
        item = {"pk": place, "sk": view.id, "name": view.name, "filters": canonical_json(filters)}
        self._client.put_item(TableName=self._table, Item=to_item(item))

    def delete(self, view: View, *, subject: str) -> None:
        key = {"pk": _place_of(view, subject), "sk": view.id}
        self._client.delete_item(TableName=self._table, Key=to_item(key))

    def of_everybody(self) -> Iterator[tuple[str, View]]:
        """Every view of everybody, with the place where it is stored: ``team`` or ``person#<sub>``.

        Reads are consistent.
        """
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table, ConsistentRead=True
        )
        for page in pages:
            for found in map(from_item, page["Items"]):
                shared = Shared.TEAM if found["pk"] == _TEAM else Shared.OWN
                yield found["pk"], _view(found, shared)

    def _read(self, place: str, shared: Shared) -> Iterator[View]:
        # At most 100 views of a few kilobytes: one response contains them.
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_item({":pk": place}),
            ConsistentRead=True,
        )
        for found in map(from_item, answer["Items"]):
            yield _view(found, shared)


def _view(found: Mapping[str, Any], shared: Shared) -> View:
    filters = json.loads(found["filters"])
    return View(id=found["sk"], name=found["name"], filters=filters, shared=shared)


def _place_of(view: View, subject: str) -> str:
    return _TEAM if view.shared is Shared.TEAM else _person(subject)


def _person(subject: str) -> str:
    return f"person#{subject}"
