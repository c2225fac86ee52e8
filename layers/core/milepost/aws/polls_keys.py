"""The keys of PollsTable; no other module builds or parses them. Short: the table has two items a
connection."""

from typing import Final

_POLL: Final = "poll#"
_SHAPE: Final = "shape#"


def poll_key(connection: str) -> dict[str, str]:
    """The key of the lease, the cursor, requests for polls and the last webhook."""
    return {"pk": f"{_POLL}{connection}"}


def shape_key(connection: str) -> dict[str, str]:
    """The key of the fields and types of the connection's payloads."""
    return {"pk": f"{_SHAPE}{connection}"}


def connection_of_poll(pk: str) -> str | None:
    """The connection whose poll item has this key; None if it is another item."""
    return pk.removeprefix(_POLL) if pk.startswith(_POLL) else None


def connection_of_shape(pk: str) -> str | None:
    """The connection whose payloads the item with this key describes; None for another item."""
    return pk.removeprefix(_SHAPE) if pk.startswith(_SHAPE) else None
