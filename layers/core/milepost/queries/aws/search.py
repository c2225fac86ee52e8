"""SearchTable: finds orders by words, or by customer.

It is written with the figures, so it may be a little behind the orders, which are read before they
are shown. It contains words of customers (``word_entries``), which are removed with their order.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from milepost.aws.dynamodb_items import from_item, to_item
from milepost.orders.order import OrderKey
from milepost.orders.search_terms import email_ids, reference_words, search_text
from milepost.queries.aws.search_keys import (
    customer_key,
    customer_partition,
    reference_key,
    reference_partition,
)
from milepost.queries.aws.word_search import WordSearch
from milepost.queries.order_finder import FoundOrders
from milepost.queries.search_words import Reading
from milepost.queries.stage_durations import Counted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_FOUND: Final = 100
"""Maximum number of orders that one search of a reference finds."""


class SearchTable:
    """Finds orders, and removes entries of customers."""

    def __init__(self, client: "DynamoDBClient", *, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def find_by_words(
        self, readings: Sequence[Reading], *, connections: Iterable[str]
    ) -> FoundOrders:
        """Orders that have all words of one reading of the query, as prefixes."""
        search = WordSearch(self._client, table_name=self._table)
        return search.find(readings, connections=connections)

    def find_by_reference(
        self, text: str, *, connections: Iterable[str], limit: int = MOST_FOUND
    ) -> list[OrderKey]:
        """Orders with a reference in which the text is found at the beginning of a word.

        :param connections: the connections to search, with one query each
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
            {":pk": reference_partition(connection), ":prefix": prefix},
            most=2 * limit,
        )
        for item in pages:
            yield OrderKey.parse(item["order"])

    def find_by_email(self, email: str) -> list[OrderKey]:
        """All orders of the customer who currently has this email address."""
        found = (item for one in email_ids(email) for item in self._of_customer(one))
        return list(dict.fromkeys(OrderKey.parse(i["order"]) for i in found if "former" not in i))

    def orders_of_customer(self, customer_id: str) -> list[OrderKey]:
        """All orders of a customer (``search_terms.customer_id_of``), including orders that had
        this customer before and have another one now. For a customer who is known by a phone
        number, also orders of other customers with that number."""
        return [OrderKey.parse(item["order"]) for item in self._of_customer(customer_id)]

    def forget(self, customer_id: str, key: OrderKey) -> None:
        """Remove the entry of an order for a customer; references are removed together with the
        order itself."""
        self._client.delete_item(TableName=self._table, Key=to_item(customer_key(customer_id, key)))

    def _of_customer(self, customer_id: str) -> Iterator[dict[str, Any]]:
        # An erasure has to see everything that was written before.
        return self._query("pk = :pk", {":pk": customer_partition(customer_id)}, consistent=True)

    def _query(
        self,
        condition: str,
        values: Mapping[str, str],
        *,
        most: int | None = None,
        consistent: bool = False,
    ) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=consistent,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=to_item(values),
            PaginationConfig={} if most is None else {"MaxItems": most},
        )
        for page in pages:
            yield from (from_item(item) for item in page["Items"])


def lookup_keys(counted: Counted | None, key: OrderKey) -> list[dict[str, str]]:
    """The keys of the items by which an order is found, at the time when it was counted; those of
    former customers are marked."""
    if counted is None:
        return []
    found = []
    if counted.customer:
        found.append(customer_key(counted.customer, key))
    found += [{**customer_key(one, key), "former": "yes"} for one in counted.former_customers]
    if counted.reference:
        found += [reference_key(word, key) for word in reference_words(counted.reference)]
    return found


def search_item(item_key: Mapping[str, str], key: OrderKey) -> dict[str, str]:
    """The item of one of an order's ``lookup_keys``."""
    return {**item_key, "order": str(key)}


def primary_key(item: Mapping[str, str]) -> dict[str, str]:
    """The primary key of one of an order's ``lookup_keys``."""
    return {name: item[name] for name in ("pk", "sk")}
