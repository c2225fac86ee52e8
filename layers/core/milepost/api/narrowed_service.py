"""The common parts of all services for a role that is limited to connections."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from milepost.api.problems import NotFound, Problem
from milepost.orders.order import OrderKey

Allowed = frozenset[str]


class Closed:
    """A service with data that belongs to no single connection: only for unlimited roles."""

    def __getattr__(self, name: str) -> NoReturn:
        raise not_for_narrowed()

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        raise not_for_narrowed()

    def __iter__(self) -> NoReturn:
        raise not_for_narrowed()

    def __len__(self) -> NoReturn:
        raise not_for_narrowed()


def not_for_narrowed() -> Problem:
    """The refusal of data that belongs to no single connection."""
    return Problem(
        403,
        "This belongs to no single connection: it needs a group that is "
        "not limited to connections.",
    )


@dataclass(frozen=True, slots=True)
class Narrowed:
    """One service, and the connections to which it is limited."""

    inner: Any
    allowed: Allowed

    def _has(self, key: OrderKey) -> bool:
        return key.connection in self.allowed

    def _of(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name in self.allowed]


def limited(wanted: Any, allowed: Allowed) -> Any:
    """The filter, limited to the allowed connections; None if no connection is left."""
    both = wanted.connections & allowed if wanted.connections else allowed
    return replace(wanted, connections=both) if both else None


def require_connection(connection: str, allowed: Allowed) -> None:
    """:raises NotFound: for a connection that the role doesn't include"""
    if connection not in allowed:
        raise NotFound(f"There is no connection {connection}.")
