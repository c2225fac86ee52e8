"""SearchTable's entries: the orders of each word, and the words of each order.

The list is written in one transaction with its entries, so every entry is in the list of its order,
even if changes arrive twice, late or concurrently. So entries never have to be searched for: when
an order changes, is removed or erased, those of its list are removed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from milepost.aws.dynamodb_batches import get_items
from milepost.aws.dynamodb_items import from_item, to_item
from milepost.orders.order import OrderKey
from milepost.queries.aws.search_keys import list_key, order_of_list
from milepost.queries.indexed_words import IndexedWords

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class WordChanges:
    """The changes of an order's entries, and its list afterwards."""

    gone: tuple[str, ...]
    new: tuple[str, ...]
    after: IndexedWords
    list_changes: bool

    def __len__(self) -> int:
        """The number of transaction actions that it needs."""
        return len(self.gone) + len(self.new) + self.list_changes

    def first(self, most: int) -> "WordChanges":
        """A part of the changes with at most this many actions, removals first; the list has the
        entries after this part."""
        gone = self.gone[: most - 1]
        new = self.new[: most - 1 - len(gone)]
        left, waiting = set(self.gone[len(gone) :]), set(self.new[len(new) :])
        entries = sorted((set(self.after.entries) | left) - waiting)
        return WordChanges(gone, new, IndexedWords(tuple(entries), self.after.others), True)


NO_CHANGES: Final = WordChanges((), (), IndexedWords(), list_changes=False)


def word_changes(before: IndexedWords, after: IndexedWords) -> WordChanges:
    """The changes needed so that an order is found by other words."""
    was, now = set(before.entries), set(after.entries)
    gone, new = sorted(was - now), sorted(now - was)
    return WordChanges(tuple(gone), tuple(new), after, list_changes=before != after)


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
    """The words of these orders; orders without words are left out."""
    asked = [to_item(list_key(key)) for key in dict.fromkeys(keys)]
    items = map(from_item, get_items(client, table_name, asked, ConsistentRead=consistent))
    return {order_of_list(one): _words_in(one) for one in items}


def _words_in(item: Mapping[str, Any]) -> IndexedWords:
    return IndexedWords(tuple(item.get("entries", ())), tuple(item.get("others", ())))
