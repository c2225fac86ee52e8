"""The primary keys of ErasuresTable; no other module builds or parses them.

| item | pk | sk |
|---|---|---|
| salt, and until when any erasure is remembered | ``erasures`` | ``state`` |
| erasure | ``erasures`` | ``erasure#<erasure>`` |
| digest by which the customer of an order is known | ``erased#<digest>`` | ``erased`` |
| order that became findable after its customer was erased | ``late#<erasure>`` | ``<order>`` |
"""

from collections.abc import Mapping
from typing import Any, Final

from milepost.orders.order import OrderKey

ERASURES: Final = "erasures"
"""The partition of the state and of all erasures."""
STATE: Final = {"pk": ERASURES, "sk": "state"}
ERASURE_PREFIX: Final = "erasure#"
"""The beginning of the sort keys of erasures."""

_ERASED: Final = "erased#"


def erasure_key(erasure: str) -> dict[str, str]:
    return {"pk": ERASURES, "sk": f"{ERASURE_PREFIX}{erasure}"}


def erasure_of(item: Mapping[str, Any]) -> str:
    """The id of the erasure."""
    return str(item["sk"]).removeprefix(ERASURE_PREFIX)


def mark_key(digest: str) -> dict[str, str]:
    """The key of a digest that is stored."""
    return {"pk": f"{_ERASED}{digest}", "sk": "erased"}


def mark_of(item: Mapping[str, Any]) -> str:
    """The digest that a key contains."""
    return str(item["pk"]).removeprefix(_ERASED)


def late_partition(erasure: str) -> str:
    """The partition of an erasure's late orders."""
    return f"late#{erasure}"


def late_key(erasure: str, key: OrderKey) -> dict[str, str]:
    """The key of one of them."""
    return {"pk": late_partition(erasure), "sk": str(key)}
