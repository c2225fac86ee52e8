"""Reads a delivery with the provider's adapter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from milepost.common.strict_json import read_object
from milepost.connections.connection import Connection
from milepost.orders.order import OrderKey
from milepost.orders.report import Report, Source
from milepost.providers.base import Provider
from milepost.providers.readable_parts import Unreadable, read_event, read_order
from milepost.webhooks.delivery import Delivery
from milepost.webhooks.ping import refuse_test


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A delivery that could be read, with its reports."""

    delivery: Delivery
    connection: Connection
    provider: Provider
    payload: dict[str, Any]
    """What its body says."""
    reports: Sequence[Report]
    unreadable: Sequence[Unreadable] = field(default=())
    """Items of the delivery's order that can't be read."""

    @property
    def keys(self) -> list[OrderKey]:
        return [OrderKey.of(report) for report in self.reports]


def split_by_order(readings: Mapping[str, Reading]) -> list[list[str]]:
    """The names of deliveries, in groups that can be recorded in parallel: no order is in two
    groups. Deliveries of one order keep their order."""
    groups: dict[str, list[str]] = {}
    group_of: dict[tuple[str, str], str] = {}
    for name, reading in readings.items():
        orders = {(key.connection, key.order_id) for key in reading.keys}
        joined = list(dict.fromkeys(group_of[one] for one in orders if one in group_of))
        first, others = (joined[0], joined[1:]) if joined else (name, [])
        groups.setdefault(first, []).extend(one for each in others for one in groups.pop(each))
        groups[first].append(name)
        if others:
            moved = [order for order, group in group_of.items() if group in others]
            group_of.update(dict.fromkeys(moved, first))
        group_of.update(dict.fromkeys(orders, first))
    return [*groups.values()]


def read_delivery(delivery: Delivery, *, provider: Provider, connection: Connection) -> Reading:
    """The reports of a delivery, which is a webhook, or an order from a poll that was quarantined.

    :raises BadPayload: when it can't be read, and ``OnlyATest`` for a provider's test
    :raises OrderNamed: when it only names the order to fetch
    """
    said = read_object(delivery.body)
    if delivery.source is Source.POLL:
        found = read_order(
            provider,
            said,
            connection=connection,
            requested_at=delivery.received_at,
            judged_at=delivery.judged_at,
        )
    else:
        refuse_test(said)
        found = read_event(
            provider,
            said,
            connection=connection,
            seen_at=delivery.received_at,
            judged_at=delivery.judged_at,
        )
    if found.unreadable and not found.reports:
        raise found.unreadable[0].reason
    return Reading(
        delivery=delivery,
        connection=connection,
        provider=provider,
        payload=said,
        reports=found.reports,
        unreadable=found.unreadable,
    )
