"""Which order an operator means: by its id alone, or with its connection and item."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from cli.faults import WrongUse
from milepost.order import OrderKey


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReference:
    """``connection`` and ``item_id`` are None where any will do."""

    order_id: str
    connection: str | None = None
    item_id: str | None = None

    def keys(self, connections: Iterable[str]) -> list[OrderKey]:
        """Where to look, when these are the connections that there are."""
        places = [self.connection] if self.connection is not None else sorted(connections)
        return [OrderKey(place, self.order_id, self.item_id or "") for place in places]


def read_reference(text: str, *, connection: str | None) -> OrderReference:
    """Read an order's id, or ``connection/order[/item]``, quoted as announcements have it.

    With ``connection`` the text is an order's id, whatever stands in it.

    :raises WrongUse: when it is neither
    """
    if connection is not None:
        return OrderReference(order_id=text, connection=connection)
    parts = [unquote(part) for part in text.split("/")]
    if not all(parts) or len(parts) > 3:
        raise WrongUse(
            f"{text} names no order: write its id, or connection/order, or connection/order/item. "
            "If the id has a slash in it, add --connection."
        )
    if len(parts) == 1:
        return OrderReference(order_id=parts[0])
    item_id = parts[2] if len(parts) == 3 else None
    return OrderReference(connection=parts[0], order_id=parts[1], item_id=item_id)
