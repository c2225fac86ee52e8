"""Lists of notices by NoticesTable's index: merges the shards of each list, the newest first.

The cost of a page doesn't depend on the number of notices: it reads as many of each shard as it
shows, and more only where filters left too few. The index selects candidates; their entries are
then read from the table, since the index doesn't have states that change often.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from milepost.aws.dynamodb_batches import get_items
from milepost.aws.dynamodb_items import from_item, to_item
from milepost.common.timestamps import sortable
from milepost.notifications.aws.delivery_log_items import key_of_notice
from milepost.notifications.aws.earlier_shards import EarlierShards
from milepost.notifications.aws.list_keys import (
    BY_STATE,
    NORMAL_STATES,
    earlier_shards_of,
    list_of,
    shards_of,
)
from milepost.notifications.notice import NoticeId, State
from milepost.notifications.notice_list import NoticePage, NoticePlace, WantedNotices, is_wanted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_LOOKED_THROUGH: Final = 2_000
"""Maximum number of index entries that one page reads, beside the first ones of each shard."""
MOST_READ: Final = 500
"""Maximum number of table entries that one page reads."""
_READ: Final = 10
_READ_OF_SPARSE: Final = 250
_AT_ONCE: Final = 16
_TOGETHER: Final = 100
"""The maximum number of items in one BatchGetItem."""


@dataclass
class _Shard:
    """A partition of the index, and the part that has been read."""

    name: str
    lower: str | None
    upper: str | None
    newest: str | None = None
    """When its newest notice was listed, where that is known without reading it."""
    start: Mapping[str, Any] | None = None
    waiting: deque[NoticePlace] = field(default_factory=deque)
    is_done: bool = False
    is_sparse: bool = False
    first_read: str | None = None
    """When the first notice that was read of it was listed."""
    read_until: NoticePlace | None = None

    @property
    def head(self) -> str | None:
        """The latest possible time of its next notice; None if there is none."""
        if self.waiting:
            return self.waiting[0].listed_at
        if self.is_done:
            return None
        return self.read_until.listed_at if self.read_until else self.newest


class NoticeListsTable:
    """Implements ``notice_list.NoticeLists``."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name
        self._earlier = EarlierShards()

    def page(self, wanted: WantedNotices, *, after: NoticePlace | None, limit: int) -> NoticePage:
        """At most ``limit`` entries after a position; fewer if many had to be read."""
        candidates = _Candidates(
            self._client, self._table, wanted, after, limit=limit, earlier=self._earlier
        )
        merged, entries, read = iter(candidates), list[Mapping[str, Any]](), 0
        last: NoticePlace | None = None
        together = limit if _is_by_list(wanted) else _TOGETHER
        waiting: deque[tuple[NoticePlace, Mapping[str, Any] | None]] = deque()
        while len(entries) < limit:
            if not waiting:
                if read >= MOST_READ:
                    return NoticePage(entries, last)
                places = list(islice(merged, min(together, _TOGETHER)))
                if not places:
                    return NoticePage(entries, candidates.stopped_at)
                waiting.extend(zip(places, self._read(places), strict=True))
                read += len(places)
            last, entry = waiting.popleft()
            if entry is not None and is_wanted(entry, wanted):
                entries.append(entry)
        is_over = not waiting and next(merged, None) is None and candidates.stopped_at is None
        return NoticePage(entries, None if is_over else last)

    def _read(self, places: Sequence[NoticePlace]) -> list[Mapping[str, Any] | None]:
        keys = [to_item(_key(one)) for one in places]
        items = map(from_item, get_items(self._client, self._table, keys))
        found: dict[str, Mapping[str, Any]] = {item["id"]: item for item in items}
        return [found.get(one.notice) for one in places]


def _is_by_list(wanted: WantedNotices) -> bool:
    """Whether the index's lists alone determine which states are included."""
    return wanted.states >= NORMAL_STATES or wanted.states.isdisjoint(NORMAL_STATES)


class _Candidates:
    """Candidates by the index, the newest first."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        wanted: WantedNotices,
        after: NoticePlace | None,
        *,
        limit: int,
        earlier: EarlierShards,
    ) -> None:
        self._client, self._table, self._wanted = client, table, wanted
        self._earlier = earlier
        # One more than the page has, so that it is known whether there is a next one.
        self._count = max(_READ, limit + 1, _READ_OF_SPARSE if wanted.is_filtered else 0)
        names = [(name, None) for name in _names(wanted)]
        known = [(name, earlier.newest(name)) for name in _earlier_names(wanted)]
        self._earlier_names = {name for name, _ in known}
        self._shards = [
            shard
            for name, newest in sorted([*names, *known], key=lambda one: one[0])
            if newest != "" and (shard := _open(name, wanted, after, newest=newest)) is not None
        ]
        self._looked_through = 0
        self.stopped_at: NoticePlace | None = None
        """Where reading stopped although there is more."""

    def __iter__(self) -> Iterator[NoticePlace]:
        unknown = [shard for shard in self._shards if shard.newest is None]
        if unknown:
            with ThreadPoolExecutor(min(_AT_ONCE, len(unknown))) as readers:
                list(readers.map(self._read_first, unknown))
        while heads := [(head, shard) for shard in self._shards if (head := shard.head)]:
            # Within one second, shards are sorted by name.
            _, shard = max(heads, key=lambda one: one[0])
            if shard.waiting:
                yield shard.waiting.popleft()
            elif self._looked_through < MOST_LOOKED_THROUGH:
                count = _READ_OF_SPARSE if shard.is_sparse else self._count
                self._looked_through += self._read(shard, count)
            else:
                self.stopped_at = shard.read_until
                return

    def _read_first(self, shard: _Shard) -> None:
        is_earlier = shard.name in self._earlier_names
        self._read(shard, _READ if is_earlier else self._count)
        if is_earlier and shard.lower is None and shard.upper is None:
            self._earlier.note(shard.name, shard.first_read or "")

    def _read(self, shard: _Shard, count: int) -> int:
        """Read more of a shard; returns the number of entries read."""
        start: dict[str, Any] = {"ExclusiveStartKey": shard.start} if shard.start else {}
        values = {":shard": shard.name, ":lower": shard.lower, ":upper": shard.upper}
        answer = self._client.query(
            TableName=self._table,
            IndexName=BY_STATE,
            KeyConditionExpression=_key_condition(shard.lower, shard.upper),
            ExpressionAttributeValues=to_item(values),
            ScanIndexForward=False,
            Limit=count,
            **start,
        )
        items = [from_item(item) for item in answer["Items"]]
        if shard.first_read is None and items:
            shard.first_read = items[0]["listed_at"]
        found = [item for item in items if is_wanted(item, self._wanted)]
        shard.waiting.extend(_place(item) for item in found)
        shard.is_sparse = len(found) < len(items)
        shard.start = answer.get("LastEvaluatedKey")
        shard.is_done = shard.start is None
        if items:
            shard.read_until = _place(items[-1])
        return len(items)


def _names(wanted: WantedNotices) -> list[str]:
    return shards_of(_lists(wanted), _digests(wanted))


def _earlier_names(wanted: WantedNotices) -> list[str]:
    return earlier_shards_of(_lists(wanted), _digests(wanted))


def _lists(wanted: WantedNotices) -> set[str]:
    return {list_of(state) for state in wanted.states or State}


def _digests(wanted: WantedNotices) -> list[str] | None:
    identities = wanted.identities
    if identities is None:
        return None
    return [sha256(one.encode()).hexdigest()[:12] for one in identities]


def _open(
    name: str, wanted: WantedNotices, after: NoticePlace | None, *, newest: str | None
) -> _Shard | None:
    """A shard, positioned at the start of the page; None if the page can't have entries of it."""
    lower = sortable(wanted.since) if wanted.since else None
    upper = _before(sortable(wanted.until)) if wanted.until else None
    if newest is not None and lower is not None and newest < lower:
        return None
    shard = _Shard(name, lower, upper, newest)
    if after is not None:
        # Entries before the position were on earlier pages: in the position's second, these are all
        # entries of earlier shards, and those of its own shard up to the notice itself.
        shard.upper = _before(after.listed_at) if name < after.shard else after.listed_at
        shard.start = _start_key(after) if name == after.shard else None
    return None if shard.lower and shard.upper and shard.lower > shard.upper else shard


def _before(listed_at: str) -> str:
    """The greatest sort key that is less than this second and greater than every earlier one."""
    return listed_at.removesuffix("Z")


def _key_condition(lower: str | None, upper: str | None) -> str:
    in_this_shard = "list_shard = :shard"
    if lower and upper:
        return f"{in_this_shard} AND listed_at BETWEEN :lower AND :upper"
    if lower:
        return f"{in_this_shard} AND listed_at >= :lower"
    if upper:
        return f"{in_this_shard} AND listed_at <= :upper"
    return in_this_shard


def _place(item: Mapping[str, Any]) -> NoticePlace:
    return NoticePlace(item["listed_at"], item["list_shard"], item["id"])


def _key(place: NoticePlace) -> dict[str, str]:
    return key_of_notice(NoticeId.parse(place.notice))


def _start_key(place: NoticePlace) -> dict[str, Any]:
    return to_item({**_key(place), "list_shard": place.shard, "listed_at": place.listed_at})
