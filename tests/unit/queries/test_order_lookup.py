"""Which orders a name means, in every spelling that people have of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from milepost.common.status import Status
from milepost.orders.order import OrderKey, TrackedOrder
from milepost.orders.search_terms import search_text
from milepost.queries.order_lookup import AmbiguousOrder, OrderLookup, UnknownOrder
from tests.builders import report, tracked

FIRST = OrderKey("grid", "ord-1", "item-1")
SECOND = OrderKey("grid", "ord-1", "item-2")
SINGLE = OrderKey("energy", "V-1", "V-1")
SLASHED = OrderKey("grid", "urn:a/b", "item 1")
EMAIL = "charlotte@example.com"


@dataclass
class Orders:
    """What is kept, and by which words it is found."""

    kept: dict[OrderKey, TrackedOrder] = field(default_factory=dict)

    def keep(self, key: OrderKey, reference: str) -> None:
        said = report(Status.ACCEPTED, key=key, reference=reference)
        self.kept[key] = tracked(said, version=1)

    def read(self, key: OrderKey) -> TrackedOrder | None:
        return self.kept.get(key)

    def read_group(self, connection_id: str, order_id: str) -> list[TrackedOrder]:
        return [
            one
            for key, one in self.kept.items()
            if (key.connection, key.order_id) == (connection_id, order_id)
        ]

    def find_by_reference(self, text: str, *, connections: Iterable[str]) -> list[OrderKey]:
        begun = search_text(text)
        return [
            key
            for key, one in self.kept.items()
            if key.connection in connections
            and search_text(one.order.details["reference"]).startswith(begun)
        ]

    def find_by_email(self, email: str) -> list[OrderKey]:
        return [FIRST, SINGLE] if email == EMAIL else []


@pytest.fixture
def lookup() -> OrderLookup:
    orders = Orders()
    orders.keep(FIRST, "PP-1")
    orders.keep(SECOND, "PP-2")
    orders.keep(SINGLE, "PP-12")
    orders.keep(SLASHED, "RE/7: Weber")
    return OrderLookup(orders=orders, search=orders, connections=["grid", "energy"])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("grid:ord-1:item-1", [FIRST]),
        ("grid/ord-1/item-1", [FIRST]),
        ("grid/ord-1:item-1", [FIRST]),
        ("grid:ord-1", [FIRST, SECOND]),
        ("grid/ord-1", [FIRST, SECOND]),
        ("energy:V-1", [SINGLE]),
        ("ord-1", [FIRST, SECOND]),
        ("V-1", [SINGLE]),
        ("PP-1", [FIRST]),
        ("pp-12 ", [SINGLE]),
        ("re/7: weber", [SLASHED]),
        ("urn:a/b", [SLASHED]),
        (str(SLASHED), [SLASHED]),
        (SLASHED.path_id, [SLASHED]),
        (SLASHED.path_id.rpartition(":")[0], [SLASHED]),
        (EMAIL, [FIRST, SINGLE]),
        ("grid:ord-1:item-1 ", [FIRST]),
        ("\tgrid/ord-1\n", [FIRST, SECOND]),
        (" V-1", [SINGLE]),
        (f" {EMAIL} ", [FIRST, SINGLE]),
    ],
)
def test_a_name_means_the_same_in_every_spelling(
    lookup: OrderLookup, text: str, found: list[OrderKey]
) -> None:
    assert lookup.find(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ":",
        "::",
        "///",
        "a:b:c",
        "grid:nope",
        "grid:ord-1:nope",
        "PP-",
        "PP",
        "nobody@x.org",
    ],
)
def test_what_names_nothing_is_an_error(lookup: OrderLookup, text: str) -> None:
    with pytest.raises(UnknownOrder, match="there is no order"):
        lookup.find(text)


def test_with_a_connection_the_text_is_its_id_whatever_it_looks_like(lookup: OrderLookup) -> None:
    assert lookup.find("urn:a/b", connection="grid") == [SLASHED]
    with pytest.raises(UnknownOrder, match="at energy"):
        lookup.find("grid:ord-1:item-1", connection="energy")


def test_one_item_is_meant_or_all_that_it_could_be_are_named(lookup: OrderLookup) -> None:
    assert lookup.find_one("V-1") == SINGLE
    with pytest.raises(AmbiguousOrder, match="grid:ord-1:item-1, grid:ord-1:item-2"):
        lookup.find_one("ord-1")
