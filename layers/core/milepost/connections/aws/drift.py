"""PollsTable: the fields of each connection's payloads, and what changed in them.

One item for each connection, ``pk`` = ``shape#<connection>``. Each container reads it once in ten
minutes, and writes it only when something is learned or changes.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from milepost.aws.dynamodb_items import as_int, from_item, to_item
from milepost.aws.errors import AWS_FAILED
from milepost.aws.polls_keys import shape_key
from milepost.common.timestamps import format_instant, parse_instant, sortable
from milepost.connections.drift import (
    KEPT_FOR,
    Change,
    ChangeKind,
    Drift,
    Known,
    Part,
    read_shape_text,
    shape_text,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sns import SNSClient

READ_AGAIN_AFTER: Final = timedelta(minutes=10)
MOST_LOOKED_AT: Final = 200
"""Maximum number of payloads of one connection that a batch or poll compares."""
TOLD_AGAIN_AFTER: Final = timedelta(days=1)

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Entry:
    known: Known
    version: int
    read_at: datetime
    looked_at: int = 0
    is_unread: bool = False
    """Whether it could not be read, so that nothing is compared until the next batch."""


class DriftWatch:
    """Compares payloads with the known fields of their connection, which are cached for some
    minutes."""

    def __init__(
        self, client: "DynamoDBClient", *, table_name: str, clock: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._table = table_name
        self._clock = clock
        self._entries: dict[str, _Entry] = {}

    def compare(self, connection_id: str, part: Part, payload: Any, words: Iterable[str]) -> None:
        """Like ``look``, but a failure is only logged, so that the order isn't affected."""
        try:
            self.look(connection_id, part, payload, words)
        except AWS_FAILED:
            logger.warning(
                "not compared with earlier payloads", extra={"connection": connection_id}
            )

    def store(self) -> None:
        """Like ``flush``, but a failure is only logged, so that nothing else is affected."""
        try:
            self.flush()
        except AWS_FAILED:
            logger.warning("the fields of payloads were not stored")

    def look(self, connection_id: str, part: Part, payload: Any, words: Iterable[str]) -> None:
        """Compare a payload; ``words`` are its unknown status words."""
        entry = self._entry(connection_id)
        if entry.looked_at < MOST_LOOKED_AT and not entry.is_unread:
            entry.looked_at += 1
            entry.known.look(part, payload, words, at=self._clock().replace(microsecond=0))

    def flush(self) -> list[Change]:
        """Store what was learned since the last call; returns new changes.

        If another process has stored something meanwhile, these changes are discarded: the next
        payloads show them again.
        """
        new: list[Change] = []
        for connection_id, entry in list(self._entries.items()):
            entry.looked_at = 0
            if entry.is_unread:
                del self._entries[connection_id]
            if not entry.known.is_changed:
                continue
            del self._entries[connection_id]
            if self._save(connection_id, entry):
                entry.version += 1
                _log(connection_id, entry.known.new)
                new += entry.known.new
                entry.known.is_changed, entry.known.new = False, []
                self._entries[connection_id] = entry
        return new

    def _entry(self, connection_id: str) -> _Entry:
        entry, now = self._entries.get(connection_id), self._clock()
        if entry is None or (now - entry.read_at > READ_AGAIN_AFTER and not entry.known.is_changed):
            self._entries[connection_id] = _Entry(Known(), 0, now, is_unread=True)
            answer = self._client.get_item(TableName=self._table, Key=_key(connection_id))
            item = from_item(answer.get("Item", {}))
            entry = _Entry(_known(item), as_int(item.get("version", 0)), now)
            self._entries[connection_id] = entry
        return entry

    def _save(self, connection_id: str, entry: _Entry) -> bool:
        nobody_else_wrote = "attribute_not_exists(version) OR version = :before"
        known = entry.known
        shapes = {str(part): shape_text(shape) for part, shape in known.shapes.items()}
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(connection_id),
                UpdateExpression="SET shapes = :shapes, words = :words, changes = :changes,"
                " version = :version",
                ConditionExpression=nobody_else_wrote,
                ExpressionAttributeValues=to_item(
                    {
                        ":shapes": shapes,
                        ":words": known.words,
                        ":changes": [_value(one) for one in known.changes],
                        ":version": entry.version + 1,
                        ":before": entry.version,
                    }
                ),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _log(connection_id: str, changes: Iterable[Change]) -> None:
    for change in changes:
        place = {"connection": connection_id, "kind": change.kind, "place": change.place}
        logger.warning("a provider's payloads changed", extra=place)


class DriftNotices:
    """Notifies the team of a connection's changes, at most once a day."""

    def __init__(
        self, client: "DynamoDBClient", *, table_name: str, sns: "SNSClient", topic_arn: str
    ) -> None:
        self._client = client
        self._table = table_name
        self._sns = sns
        self._topic = topic_arn

    def tell(self, connection_id: str, drift: Drift, *, now: datetime) -> bool:
        """Publish the changes about which the team was not notified yet; returns whether that was
        done.

        The time is stored first, so a message that can't be published follows a day later.
        """
        unannounced = [one for one in drift.unannounced if now - one.seen_at <= KEPT_FOR]
        if not unannounced or not self._claim(connection_id, now=now):
            return False
        self._sns.publish(
            TopicArn=self._topic,
            Subject=f"Milepost: {connection_id} sends something new"[:100],
            Message=_message(connection_id, unannounced),
        )
        self._mark_announced(connection_id, until=max(one.seen_at for one in unannounced))
        return True

    def _claim(self, connection_id: str, *, now: datetime) -> bool:
        """Whether the team may be notified now; if so, no other process may notify it for a day."""
        not_today = "attribute_exists(pk) AND (attribute_not_exists(told_at) OR told_at < :earlier)"
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(connection_id),
                UpdateExpression="SET told_at = :now",
                ConditionExpression=not_today,
                ExpressionAttributeValues=to_item(
                    {
                        ":now": sortable(now),
                        ":earlier": sortable(now - TOLD_AGAIN_AFTER),
                    }
                ),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _mark_announced(self, connection_id: str, *, until: datetime) -> None:
        """Store that the team was notified of every change until then."""
        self._client.update_item(
            TableName=self._table,
            Key=_key(connection_id),
            UpdateExpression="SET told_until = :until",
            ExpressionAttributeValues=to_item({":until": format_instant(until)}),
        )


def _message(connection_id: str, changes: Iterable[Change]) -> str:
    lines = "\n".join(f"- {one}" for one in changes)
    return (
        f"The payloads of the connection {connection_id} have changed:\n\n{lines}\n\n"
        "Orders are recorded as before; what is new is not read. Look whether it has to be: "
        'docs/add-a-provider.md, "When a provider changes".\n'
    )


def drift_in(item: Mapping[str, Any]) -> Drift:
    """The changes in an item as ``from_item`` gives it; none if it can't be read."""
    try:
        until = item.get("told_until")
        changes = tuple(_change(one) for one in item.get("changes", []))
        return Drift(changes, parse_instant(until) if until else None)
    except (ValueError, TypeError, KeyError):
        return Drift()


def _known(item: Mapping[str, Any]) -> Known:
    """The stored fields; if they can't be read, they are learned again."""
    try:
        shapes = {
            Part(part): read_shape_text(text) for part, text in item.get("shapes", {}).items()
        }
        changes = [_change(one) for one in item.get("changes", [])]
        return Known(shapes, [str(one) for one in item.get("words", [])], changes)
    except (ValueError, TypeError, KeyError):
        return Known()


def _value(change: Change) -> dict[str, str]:
    return {
        "kind": str(change.kind),
        "place": change.place,
        "detail": change.detail,
        "seen_at": format_instant(change.seen_at),
    }


def _change(value: Mapping[str, Any]) -> Change:
    return Change(
        kind=ChangeKind(value["kind"]),
        place=value["place"],
        detail=value["detail"],
        seen_at=parse_instant(value["seen_at"]),
    )


def _key(connection_id: str) -> dict[str, Any]:
    return to_item(shape_key(connection_id))
