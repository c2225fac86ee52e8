"""The data of the live view: orders by status, the latest changes of status, the latest notices."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from milepost.aws.notices_keys import is_of_delivery_log, order_id_of

SHOWN: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The current orders and notices; the newest come first in the lists."""

    statuses: Mapping[str, int]
    transitions: Sequence["Transition"]
    notices: Sequence["NoticeLine"]
    notice_states: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """An order's status, since when (ISO 8601, UTC), and its last change."""

    since: str
    connection: str
    order: str
    status: str
    raw_status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLine:
    """One entry of the delivery log; ``why`` is the reason if it was not sent."""

    at: str
    kind: str
    order: str
    recipient: str
    state: str
    why: str


LIFE: Final = (
    "unknown",
    "pending",
    "submitted",
    "accepted",
    "scheduled",
    "in_progress",
    "completed",
    "active",
    "rejected",
    "failed",
    "cancelled",
)


def read_overview(dynamodb: Any, *, orders_table: str, notices_table: str) -> Overview:
    """Read both tables; meant for the few hundred orders of a local stack."""
    orders = _scan(
        dynamodb,
        orders_table,
        "#connection, order_id, item_id, #status, raw_status, since",
        {"#connection": "connection", "#status": "status"},
    )
    notices = _scan(
        dynamodb,
        notices_table,
        "pk, kind, channel, recipient, #state, reason, queued_at, skipped_at",
        {"#state": "state"},
    )
    return make_overview(orders, [n for n in notices if is_of_delivery_log(n)])


def make_overview(
    orders: Sequence[Mapping[str, str]], notices: Sequence[Mapping[str, str]]
) -> Overview:
    """The overview, from the text attributes of items."""
    orders = [order for order in orders if "status" in order]
    counts = Counter(order["status"] for order in orders)
    latest = sorted(orders, key=lambda order: order.get("since", ""), reverse=True)
    newest = sorted(notices, key=_entered_at, reverse=True)
    return Overview(
        statuses={s: counts[s] for s in (*LIFE, *sorted(set(counts) - set(LIFE))) if counts[s]},
        transitions=[_transition(order) for order in latest[:SHOWN]],
        notices=[_notice_line(notice) for notice in newest[:SHOWN]],
        notice_states=dict(Counter(notice.get("state", "?") for notice in notices)),
    )


def _transition(order: Mapping[str, str]) -> Transition:
    item, name = order.get("item_id", ""), order.get("order_id", "")
    return Transition(
        since=order.get("since", ""),
        connection=order.get("connection", ""),
        order=name if item in ("", name) else f"{name} / {item}",
        status=order["status"],
        raw_status=order.get("raw_status", ""),
    )


def _notice_line(notice: Mapping[str, str]) -> NoticeLine:
    resource = {"sns": "SNS topic", "event_bus": "event bus"}.get(notice.get("channel", ""))
    return NoticeLine(
        at=_entered_at(notice),
        kind=notice.get("kind", ""),
        order=order_id_of(notice),
        recipient=resource or notice.get("recipient", "the customer"),
        state=notice.get("state", ""),
        why=notice.get("reason", ""),
    )


def _entered_at(notice: Mapping[str, str]) -> str:
    return notice.get("queued_at") or notice.get("skipped_at", "")


def _scan(
    dynamodb: Any, table: str, projection: str, names: Mapping[str, str]
) -> list[dict[str, str]]:
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table, ProjectionExpression=projection, ExpressionAttributeNames=dict(names)
    )
    return [
        {name: value["S"] for name, value in item.items() if "S" in value}
        for page in pages
        for item in page["Items"]
    ]
