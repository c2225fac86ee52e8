"""Searches SearchTable for orders that have all words of a query, at a bounded cost.

Each word is searched as a prefix. If few orders have one of the words, only their lists of words
are compared with the other words. If all words are common, two that are adjacent in a name or an
address are searched together.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.orders.order import OrderKey
from milepost.queries.aws.search_keys import FIRST_LETTERS, read_entry, word_partition
from milepost.queries.aws.word_entries import read_lists
from milepost.queries.indexed_words import is_house_number
from milepost.queries.order_finder import MOST_FOUND, FoundOrders
from milepost.queries.search_words import Reading, Spellings, has_all_words

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FEW: Final = 200
"""Maximum number of entries of one word in one partition that are read to determine whether few
orders have it."""
MOST_READ: Final = 2_000
"""Maximum number of entries of one word in one partition if every word is common."""
MOST_LOOKED_FOR: Final = 4
"""Maximum number of words of a query that are searched: the longest ones. The others are
compared."""
_AT_ONCE: Final = 16


@dataclass(slots=True)
class _Begun:
    """The orders that have a word, among those that were read."""

    keys: dict[OrderKey, None] = field(default_factory=dict)
    is_whole: bool = True


class WordSearch:
    """Finds orders by words; each connection is searched separately."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def find(self, readings: Sequence[Reading], *, connections: Iterable[str]) -> FoundOrders:
        """At most ``MOST_FOUND`` orders that have all words of one reading of the query.

        :param readings: of ``search_words.readings_of``
        """
        names = sorted(set(connections))
        keys: dict[OrderKey, None] = {}
        more = False
        with ThreadPoolExecutor(_AT_ONCE) as readers:
            for reading in readings:
                search = _OneReading(self._client, self._table, readers, names)
                found = search.find(reading)
                keys |= dict.fromkeys(found.keys)
                more = more or found.more
        return FoundOrders(list(keys)[:MOST_FOUND], more or len(keys) > MOST_FOUND)


@dataclass(frozen=True, slots=True)
class _OneReading:
    client: "DynamoDBClient"
    table: str
    readers: ThreadPoolExecutor
    connections: Sequence[str]

    def find(self, reading: Reading) -> FoundOrders:
        words = _looked_for(reading)
        if not words:
            return FoundOrders([], more=False)
        if len(reading) == 1:
            (found,) = self._begun(words, MOST_FOUND + 1)
            return FoundOrders(list(found.keys), more=not found.is_whole)
        begun = self._begun(words, FEW)
        if not any(one.is_whole for one in begun):
            return self._find_common(reading, words)
        return self._with_all(reading, _in_all(one for one in begun if one.is_whole))

    def _find_common(self, reading: Reading, words: Sequence[Spellings]) -> FoundOrders:
        """Orders that have all of these words, if each word is common."""
        pairs = [pair for one in pairwise(reading) for pair in (_side_by_side(*one))]
        together = self._begun(pairs, MOST_FOUND)
        begun = self._begun(words, MOST_READ)
        whole = [one for one in begun if one.is_whole]
        if whole:
            return self._with_all(reading, _in_all(whole))
        likely = {key: None for one in together for key in one.keys}
        found = self._with_all(reading, [*likely, *_in_all(begun)])
        return FoundOrders(found.keys, more=True)

    def _with_all(self, reading: Reading, keys: Iterable[OrderKey]) -> FoundOrders:
        """The orders among these that have every word, by their lists."""
        asked = list(dict.fromkeys(keys))
        looked_at = asked[:MOST_FOUND]
        parts = [looked_at[place : place + 100] for place in range(0, len(looked_at), 100)]
        lists = {
            key: words
            for read in self.readers.map(self._lists, parts)
            for key, words in read.items()
        }
        found = [
            key for key in looked_at if key in lists and has_all_words(reading, lists[key].all)
        ]
        return FoundOrders(found, more=len(asked) > len(looked_at))

    def _lists(self, keys: Sequence[OrderKey]) -> Mapping[OrderKey, Any]:
        return read_lists(self.client, table_name=self.table, keys=keys)

    def _begun(self, words: Sequence[Spellings], most: int) -> list[_Begun]:
        """The orders that have each of these words, with a limit for each word."""
        asked = [
            (place, connection, spelling)
            for place, word in enumerate(words)
            for spelling in _shortest(word)
            if len(spelling) >= FIRST_LETTERS
            for connection in self.connections
        ]
        found = [_Begun(is_whole=min(map(len, word)) >= FIRST_LETTERS) for word in words]
        reads = self.readers.map(lambda one: self._read(one[1], one[2], most), asked)
        for (place, _, _), (keys, is_whole) in zip(asked, reads, strict=True):
            found[place].keys.update(dict.fromkeys(keys))
            found[place].is_whole &= is_whole
        return found

    def _read(self, connection: str, begin: str, most: int) -> tuple[list[OrderKey], bool]:
        """The orders of the entries with this prefix, and whether all of them were read."""
        keys: list[OrderKey] = []
        start: dict[str, Any] = {}
        while True:
            answer = self.client.query(
                TableName=self.table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :begin)",
                ExpressionAttributeValues=to_item(
                    {":pk": word_partition(connection, begin), ":begin": begin}
                ),
                Limit=most + 1 - len(keys),
                **start,
            )
            keys += (read_entry(from_item(item)["sk"])[1] for item in answer["Items"])
            last = answer.get("LastEvaluatedKey")
            if last is None or len(keys) > most:
                return keys[:most], len(keys) <= most
            start = {"ExclusiveStartKey": last}


def _looked_for(reading: Reading) -> list[Spellings]:
    """The words of a query to search for, the longest first; house numbers only if there are no
    other words."""
    long_enough = [word for word in reading if max(map(len, word)) >= FIRST_LETTERS]
    words = [word for word in long_enough if not all(map(is_house_number, word))]
    if not words and len(reading) == 1:
        words = long_enough
    return sorted(words, key=lambda word: -max(map(len, word)))[:MOST_LOOKED_FOR]


def _shortest(word: Spellings) -> list[str]:
    """The spellings, except those that begin with another one."""
    return [
        one for one in word if not any(one != other and one.startswith(other) for other in word)
    ]


def _side_by_side(one: Spellings, other: Spellings) -> Iterator[Spellings]:
    """The two words as one text, in either order and in each spelling."""
    last = max(len(one), len(other))
    pairs = [(_at(one, place), _at(other, place)) for place in range(last)]
    yield tuple(dict.fromkeys(f"{a} {b}" for a, b in pairs))
    yield tuple(dict.fromkeys(f"{b} {a}" for a, b in pairs))


def _at(word: Spellings, place: int) -> str:
    return word[min(place, len(word) - 1)]


def _in_all(begun: Iterable[_Begun]) -> list[OrderKey]:
    """Orders that have each of these words."""
    fewest, *others = sorted(begun, key=lambda one: len(one.keys))
    return [key for key in fewest.keys if all(key in one.keys for one in others)]
