"""ActivityTable: the activity log, by day, person, order and kind.

Policies allow functions to put and query entries, but not to update or delete them. An entry is put
twice: when a change begins, and in its place when the change has ended.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from milepost.activity.entry import Actor, Entry, Outcome, Place, Via, Wanted
from milepost.aws.dynamodb_items import as_int, from_item, to_item
from milepost.common.strict_json import canonical_json
from milepost.common.timestamps import parse_instant

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DAYS_KEPT: Final = 366
_PAGE: Final = 200
_MOST_CHARACTERS: Final = 50_000
"""Maximum size of the values before and after a change; an item has at most 400 KB."""
_MOST_QUERIES: Final = 31
"""Maximum number of queries for one page: of days, or of pages of an index."""


class ActivityTable:
    """Implements ``recorder.EntryWriter``, and finds entries."""

    def __init__(
        self, client: "DynamoDBClient", *, table_name: str, days_kept: int = DAYS_KEPT
    ) -> None:
        self._client = client
        self._table = table_name
        self._kept = timedelta(days=days_kept)

    def start(self, entry: Entry) -> None:
        self._put(entry, "attribute_not_exists(pk)", {})

    def complete(self, entry: Entry) -> None:
        # The SDK repeats a request whose response was lost, and then finds its own entry.
        self._put(
            entry,
            "outcome = :started OR outcome = :outcome",
            {":started": str(Outcome.STARTED), ":outcome": str(entry.outcome)},
        )

    def find(
        self, wanted: Wanted, *, after: Place | None, limit: int
    ) -> tuple[list[Entry], Place | None]:
        """A page, the latest first, and the position of the next one; None after the last one.

        A page may be short, even empty, and still have a next one.
        """
        found: list[Entry] = []
        place, queries = after, 0
        index = _index_for(wanted)
        day = min(wanted.last_day, after.at.date()) if after else wanted.last_day
        while queries < _MOST_QUERIES:
            entries, is_over = self._query(wanted, index, day=day, after=place)
            queries += 1
            for one in entries:
                place = Place(one.at, one.id)
                if wanted.matches(one):
                    found.append(one)
                    if len(found) == limit:
                        return found, place
            if not is_over:
                continue
            if index is not None or day <= wanted.first_day:
                return found, None
            day -= timedelta(days=1)
            place = Place(_end_of(day), "~")
        return found, place

    def _query(
        self, wanted: Wanted, index: tuple[str, str, str] | None, *, day: date, after: Place | None
    ) -> tuple[list[Entry], bool]:
        """Entries before ``after``, and whether these are all of them."""
        first = f"{_text(_start_of(day if index is None else wanted.first_day))}#"
        last_day = day if index is None else wanted.last_day
        last = _sort_key(after) if after else f"{_text(_end_of(last_day))}#~"
        name, attribute, value = index or ("", "pk", f"day#{day.isoformat()}")
        if last < first:
            return [], True
        which: dict[str, Any] = {"IndexName": name} if name else {}
        answer = self._client.query(
            TableName=self._table,
            **which,
            KeyConditionExpression="#hash = :hash AND sk BETWEEN :first AND :last",
            ExpressionAttributeNames={"#hash": attribute},
            ExpressionAttributeValues=to_item({":hash": value, ":first": first, ":last": last}),
            ScanIndexForward=False,
            Limit=_PAGE,
        )
        entries = [_entry_of(from_item(one)) for one in answer["Items"]]
        # BETWEEN includes its ends: also the last entry of the previous page.
        if after is not None:
            entries = [one for one in entries if _sort_key(Place(one.at, one.id)) < last]
        return entries, "LastEvaluatedKey" not in answer

    def _put(self, entry: Entry, condition: str, values: dict[str, str]) -> None:
        expires_at = int((entry.at + self._kept).timestamp())
        given: dict[str, Any] = {"ExpressionAttributeValues": to_item(values)} if values else {}
        self._client.put_item(
            TableName=self._table,
            Item=to_item(_item_of(entry) | {"expires_at": expires_at}),
            ConditionExpression=condition,
            **given,
        )


def _index_for(wanted: Wanted) -> tuple[str, str, str] | None:
    """The index that finds the fewest entries, its attribute, and the value; None to read day by
    day."""
    if wanted.order is not None:
        return "by_order", "about_order", wanted.order
    if wanted.person is not None:
        return "by_person", "person", wanted.person
    if wanted.kind is not None:
        return "by_kind", "kind", wanted.kind
    return None


def _item_of(entry: Entry) -> dict[str, Any]:
    return {
        "pk": f"day#{entry.at.date().isoformat()}",
        "sk": _sort_key(Place(entry.at, entry.id)),
        "person": entry.actor.person,
        "subject": entry.actor.subject,
        "kind": entry.kind,
        "about_order": entry.order,
        "via": str(entry.via),
        "outcome": str(entry.outcome),
        "address": entry.address,
        "status": entry.status,
        "targets": dict(entry.targets),
        "connections": sorted(entry.connections),
        "arguments": dict(entry.arguments),
        "before": _kept(entry.before),
        "after": _kept(entry.after),
    }


def _kept(values: Mapping[str, Any] | None) -> str | None:
    """The values as JSON. If there are very many, as at a first apply, only the first are
    stored.
    """
    if values is None:
        return None
    text, kept = canonical_json(values), dict(values)
    while len(text) > _MOST_CHARACTERS:
        kept = dict(list(kept.items())[: len(kept) // 2]) if len(kept) > 1 else {}
        text = canonical_json(kept | {"shortened": True})
    return text


def _entry_of(item: dict[str, Any]) -> Entry:
    at, _, entry_id = item["sk"].partition("#")
    status = item.get("status")
    return Entry(
        id=entry_id,
        at=parse_instant(at),
        actor=Actor(person=item["person"], subject=item["subject"]),
        kind=item["kind"],
        via=Via(item["via"]),
        outcome=Outcome(item["outcome"]),
        address=item.get("address"),
        status=None if status is None else as_int(status),
        targets=item["targets"],
        connections=frozenset(item["connections"]),
        arguments=item["arguments"],
        before=json.loads(item["before"]) if "before" in item else None,
        after=json.loads(item["after"]) if "after" in item else None,
    )


def _sort_key(place: Place) -> str:
    return f"{_text(place.at)}#{place.id}"


def _text(moment: datetime) -> str:
    """The instant, always in milliseconds, so that texts are sorted like instants."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _start_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _end_of(day: date) -> datetime:
    return _start_of(day) + timedelta(days=1) - timedelta(milliseconds=1)
