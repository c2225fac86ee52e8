"""The primary keys of NoticesTable; no other module builds or parses them.

Keys of the index ``by_state`` are in ``notifications.aws.list_keys``.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from milepost.common.timestamps import format_instant

ANNOUNCEMENTS_CHECKPOINT: Final = {"pk": "watch", "sk": "announcements"}
"""How far missing announcements were looked for."""
COMMISSIONS_CHECKPOINT: Final = {"pk": "watch", "sk": "commissions"}
"""How far overdue commissions were looked for."""
ORDER_LISTS_MARK: Final = {"pk": "watch", "sk": "order lists"}
"""That no order has to be moved in the index of OrdersTable."""
DECLARATION: Final = {"pk": "declaration", "sk": "connections"}
"""The applied version of the connections, and the lock on applying."""

SUBSCRIPTIONS: Final = "subscriptions"
"""The partition of all subscriptions; the sort key is the subscription's id."""
DUE: Final = "due"
"""The partition of messages that are due later, sorted by time."""
NOTICE_PREFIX: Final = "notice#"
"""The beginning of the sort keys of notices, in the delivery log and in a batch."""

_ORDER: Final = "order#"
_HELD: Final = "held#"
_ADDRESS: Final = "address#"
_SUPPRESSED: Final = "suppressed"


def order_partition(connection: str, order_id: str) -> str:
    """The partition of the delivery log with an order's notices."""
    return f"{_ORDER}{connection}#{order_id}"


def item_prefix(item_id: str) -> str:
    """The beginning of the sort keys of an item's notices in the delivery log."""
    return f"{NOTICE_PREFIX}{item_id}#"


def notice_sort_key(
    *, item_id: str, sequence: int, channel: str, recipient_hash: str, copy: int
) -> str:
    """The sort key of a notice in the delivery log: an item's notices are sorted by announcement.

    :param copy: 0 for the first notice, 1 and more for one that was sent again
    """
    of_copy = f"#{copy:04d}" if copy else ""
    return f"{item_prefix(item_id)}{sequence:06d}#{channel}#{recipient_hash}{of_copy}"


def sequence_of(sort_key: str, *, item_id: str) -> int:
    """The number of the announcement, from the sort key of one of the item's notices."""
    return int(sort_key[len(item_prefix(item_id)) :].partition("#")[0])


def order_id_of(item: Mapping[str, Any]) -> str:
    """The provider's id of the order that a notice is about."""
    return str(item["pk"]).removeprefix(_ORDER).partition("#")[2]


def is_of_delivery_log(item: Mapping[str, Any]) -> bool:
    return str(item["pk"]).startswith(_ORDER)


def due_sort_key(due_at: datetime, *, channel: str, name: str) -> str:
    """The sort key of a message that is due later.

    :param name: the notice's id, or the recipient's hash for a batch
    """
    return f"{format_instant(due_at)}#{channel}#{name}"


def due_until(until: datetime) -> str:
    """A text that sorts after all messages that are due by then, and before all others."""
    return f"{format_instant(until)}~"


def channel_of_due(sort_key: str) -> str:
    return sort_key.split("#")[1]


def batch_partition(recipient_hash: str, due_at: str) -> str:
    """The partition of a batch of held notices.

    :param due_at: as ``format_instant`` writes it
    """
    return f"{_HELD}{recipient_hash}#{due_at}"


def batch_key(recipient_hash: str, due_at: str) -> dict[str, str]:
    """The key of a batch's own item: its claim, and which of its notices were sent."""
    return {"pk": batch_partition(recipient_hash, due_at), "sk": "batch"}


def held_sort_key(notice_id: str) -> str:
    """The sort key of a held notice in its batch."""
    return f"{NOTICE_PREFIX}{notice_id}"


def is_held_or_due(item: Mapping[str, Any]) -> bool:
    """Whether an item is a message that is due later, or part of a batch."""
    return item["pk"] == DUE or str(item["pk"]).startswith(_HELD)


def hour_key(recipient_hash: str, connection: str, hour: datetime) -> dict[str, str]:
    """The key of the number of notices that a recipient got in one hour."""
    return {"pk": f"count#{recipient_hash}#{connection}", "sk": format_instant(hour)}


def subscription_key(subscription_id: str) -> dict[str, str]:
    return {"pk": SUBSCRIPTIONS, "sk": subscription_id}


def address_partition(address_hash: str) -> str:
    """The partition of the suppressions of an address."""
    return f"{_ADDRESS}{address_hash}"


def suppression_key(address_hash: str, audience: str | None) -> dict[str, str]:
    """:param audience: None for a suppression for all audiences"""
    return {"pk": address_partition(address_hash), "sk": suppression_sort_key(audience)}


def suppression_sort_key(audience: str | None) -> str:
    return f"{_SUPPRESSED}#{audience}" if audience else _SUPPRESSED


def suppressed_address(item: Mapping[str, Any]) -> tuple[str, str]:
    """The hash of the address, and the audience (empty for all), from the key of a suppression."""
    return item["pk"].removeprefix(_ADDRESS), item["sk"].partition("#")[2]


def is_suppression(item: Mapping[str, Any]) -> bool:
    return str(item["pk"]).startswith(_ADDRESS)


def mail_part_key(mail_id: str, number: int) -> dict[str, str]:
    """The key of one part of the list of notices that a mail contained."""
    return {"pk": f"mail#{mail_id}", "sk": f"part#{number:03d}"}


def templates_partition(connection: str) -> str:
    """The partition of a connection's custom templates."""
    return f"templates#{connection}"


def template_key(connection: str, *, kind: str, audience: str, language: str) -> dict[str, str]:
    return {"pk": templates_partition(connection), "sk": f"{kind}#{audience}#{language}"}


def template_place(sort_key: str) -> tuple[str, str, str] | None:
    """Kind, audience and language of a custom template; None if the item isn't one."""
    parts = sort_key.split("#")
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else None


def link_version_key(order: str) -> dict[str, str]:
    """The key of the version of an order's tracking links.

    :param order: as ``OrderKey`` is written
    """
    return {"pk": f"tracking#{order}", "sk": "version"}


def request_key(name: str) -> dict[str, str]:
    """The key of a request with an idempotency key.

    :param name: a hash of the operation and the idempotency key
    """
    return {"pk": f"request#{name}", "sk": "request"}
