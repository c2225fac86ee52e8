"""SearchTable: which orders have a reference with this word, and which are of this customer.

It holds no personal data but digests. It is written with the figures, so what it names may be a
little behind; whoever shows an order reads the order itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from milepost.aws.items import from_item, to_item
from milepost.finding import (
    customer_id_of_email,
    former_customer_ids,
    reference_words,
    search_text,
)
from milepost.measuring import Counted
from milepost.order import OrderKey

MOST_FOUND: Final = 100
"""Orders that one search of a reference gives; whoever wants others types more of it."""


class SearchTable:
    """Finds orders, and forgets customers."""

    def __init__(self, client: Any, *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def find_by_reference(
        self, text: str, *, connections: Iterable[str], limit: int = MOST_FOUND
    ) -> list[OrderKey]:
        """Orders with a reference of which a word, and what follows it, begins with the text.

        :param connections: where to look: one query each
        :param limit: orders of each connection at most
        """
        prefix = search_text(text)
        if not prefix:
            return []
        found: dict[OrderKey, None] = {}
        for connection in sorted(set(connections)):
            keys = dict.fromkeys(self._with_word(connection, prefix, limit))
            found.update(dict.fromkeys(list(keys)[:limit]))
        return list(found)

    def _with_word(self, connection: str, prefix: str, limit: int) -> Iterator[OrderKey]:
        # An order whose reference repeats a word is found twice.
        pages = self._query(
            "pk = :pk AND begins_with(sk, :prefix)",
            {":pk": f"reference#{connection}", ":prefix": prefix},
            most=2 * limit,
        )
        for item in pages:
            yield OrderKey.parse(item["order"])

    def find_by_email(self, email: str) -> list[OrderKey]:
        """All orders of who has this email address, in whatever spelling."""
        ids = (customer_id_of_email(email), *former_customer_ids(email))
        found = (key for customer_id in ids for key in self.orders_of_customer(customer_id))
        return list(dict.fromkeys(found))

    def orders_of_customer(self, customer_id: str) -> list[OrderKey]:
        """All orders of a customer (``finding.customer_id_of``)."""
        items = self._query("pk = :pk", {":pk": f"customer#{customer_id}"})
        return [OrderKey.parse(item["order"]) for item in items]

    def forget(self, customer_id: str) -> None:
        """Take out which orders are a customer's; references go with the orders themselves."""
        for key in self.orders_of_customer(customer_id):
            self._client.delete_item(
                TableName=self._table, Key=to_item(_customer_key(customer_id, key))
            )

    def _query(
        self, condition: str, values: Mapping[str, str], *, most: int | None = None
    ) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=to_item(values),
            PaginationConfig={"MaxItems": most},
        )
        for page in pages:
            yield from (from_item(item) for item in page["Items"])


def search_keys(counted: Counted | None, key: OrderKey) -> list[dict[str, str]]:
    """The keys of the items by which an order is found as it was counted."""
    if counted is None:
        return []
    found = []
    if counted.customer:
        found.append(_customer_key(counted.customer, key))
    if counted.reference:
        found += [_word_key(word, key) for word in reference_words(counted.reference)]
    return found


def search_item(item_key: Mapping[str, str], key: OrderKey) -> dict[str, str]:
    """The item of one of an order's ``search_keys``."""
    return {**item_key, "order": str(key)}


def _customer_key(customer_id: str, key: OrderKey) -> dict[str, str]:
    return {"pk": f"customer#{customer_id}", "sk": str(key)}


def _word_key(word: str, key: OrderKey) -> dict[str, str]:
    return {"pk": f"reference#{key.connection}", "sk": f"{word}#{key}"}
