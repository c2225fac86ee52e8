"""SearchTable's entries: the orders of each word, and the words of each order.

| item | pk | sk |
|---|---|---|
| entry | ``word#<connection>#<its first letters>`` | ``<entry>#<order>`` |
| list of an order's entries | ``order#<order>`` | ``words`` |

The list is written in one transaction with the entries that it names, so every entry that there is
stands in the list of its order, whatever came twice, late or at once. Entries are never looked for
to be removed: an order that changes, goes or is erased takes along those of its list.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from milepost.aws.dynamodb_batches import get_items
from milepost.aws.dynamodb_items import from_item, to_item
from milepost.orders.order import OrderKey
from milepost.queries.indexed_words import IndexedWords

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FIRST_LETTERS: Final = 2
"""Letters of a word that are in the partition's key: they spread what is written over partitions,
and a search needs at least as many."""
_LIST: Final = "words"


@dataclass(frozen=True, slots=True)
class WordChanges:
    """What changes of an order's entries, and its list afterwards."""

    gone: tuple[str, ...]
    new: tuple[str, ...]
    after: IndexedWords
    list_changes: bool

    def __len__(self) -> int:
        """Actions of a transaction that it takes."""
        return len(self.gone) + len(self.new) + self.list_changes

    def first(self, most: int) -> "WordChanges":
        """A part of them that takes so many actions, what goes first; the list says what is there
        after this part."""
        gone = self.gone[: most - 1]
        new = self.new[: most - 1 - len(gone)]
        left, waiting = set(self.gone[len(gone) :]), set(self.new[len(new) :])
        entries = sorted((set(self.after.entries) | left) - waiting)
        return WordChanges(gone, new, IndexedWords(tuple(entries), self.after.others), True)


NO_CHANGES: Final = WordChanges((), (), IndexedWords(), list_changes=False)


def word_changes(before: IndexedWords, after: IndexedWords) -> WordChanges:
    """What has to be written for an order to be found by other words."""
    was, now = set(before.entries), set(after.entries)
    gone, new = sorted(was - now), sorted(now - was)
    return WordChanges(tuple(gone), tuple(new), after, list_changes=before != after)


def word_key(entry: str, key: OrderKey) -> dict[str, str]:
    """The key of an entry of an order."""
    return {"pk": word_partition(key.connection, entry), "sk": f"{entry}#{key}"}


def word_partition(connection: str, word: str) -> str:
    """The partition in which entries begin with this word, of two letters and more."""
    return f"word#{connection}#{word[:FIRST_LETTERS]}"


def read_entry(sk: str) -> tuple[str, OrderKey]:
    """The entry and the order of a sort key."""
    entry, _, key = sk.partition("#")
    return entry, OrderKey.parse(key)


def list_key(key: OrderKey) -> dict[str, str]:
    """The key of the list of an order's entries."""
    return {"pk": f"order#{key}", "sk": _LIST}


def list_item(words: IndexedWords, key: OrderKey) -> dict[str, Any]:
    """The list of an order's entries."""
    item: dict[str, Any] = {**list_key(key), "entries": list(words.entries) or None}
    return {**item, "others": list(words.others) or None}


def read_lists(
    client: "DynamoDBClient",
    *,
    table_name: str,
    keys: Iterable[OrderKey],
    consistent: bool = False,
) -> dict[OrderKey, IndexedWords]:
    """The words of these orders, without those that have none."""
    asked = [to_item(list_key(key)) for key in dict.fromkeys(keys)]
    items = map(from_item, get_items(client, table_name, asked, ConsistentRead=consistent))
    return {OrderKey.parse(one["pk"].removeprefix("order#")): _words_in(one) for one in items}


def _words_in(item: Mapping[str, Any]) -> IndexedWords:
    return IndexedWords(tuple(item.get("entries", ())), tuple(item.get("others", ())))
