"""The primary keys of SearchTable; no other module builds or parses them.

| item | pk | sk |
|---|---|---|
| customer of an order | ``customer#<customer>`` | ``<order>`` |
| word of a reference | ``reference#<connection>`` | ``<word>#<order>`` |
| entry: word of an order | ``word#<connection>#<its first letters>`` | ``<entry>#<order>`` |
| list of an order's entries | ``order#<order>`` | ``words`` |
"""

from collections.abc import Mapping
from typing import Any, Final

from milepost.orders.order import OrderKey
from milepost.orders.search_terms import phone_part

FIRST_LETTERS: Final = 2
"""The number of letters of a word in the partition key: they distribute the writes over partitions,
and a search needs at least this many letters."""

_ORDER: Final = "order#"


def customer_partition(customer_id: str) -> str:
    """The partition of a customer's orders; for a customer known only by a phone number, of
    everybody who shares the number."""
    return f"customer#{phone_part(customer_id)}"


def customer_key(customer_id: str, key: OrderKey) -> dict[str, str]:
    return {"pk": customer_partition(customer_id), "sk": str(key)}


def reference_partition(connection: str) -> str:
    """The partition of the words of a connection's references."""
    return f"reference#{connection}"


def reference_key(word: str, key: OrderKey) -> dict[str, str]:
    """The key of a word of an order's reference."""
    return {"pk": reference_partition(key.connection), "sk": f"{word}#{key}"}


def word_partition(connection: str, word: str) -> str:
    """The partition of entries that begin with this word, which has at least two letters."""
    return f"word#{connection}#{word[:FIRST_LETTERS]}"


def word_key(entry: str, key: OrderKey) -> dict[str, str]:
    """The key of an entry of an order."""
    return {"pk": word_partition(key.connection, entry), "sk": f"{entry}#{key}"}


def read_entry(sort_key: str) -> tuple[str, OrderKey]:
    """The entry and the order of a sort key."""
    entry, _, key = sort_key.partition("#")
    return entry, OrderKey.parse(key)


def list_key(key: OrderKey) -> dict[str, str]:
    """The key of the list of an order's entries."""
    return {"pk": f"{_ORDER}{key}", "sk": "words"}


def order_of_list(item: Mapping[str, Any]) -> OrderKey:
    """The order to which the list of entries belongs."""
    return OrderKey.parse(item["pk"].removeprefix(_ORDER))
