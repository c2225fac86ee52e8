"""Warns of service types of a subscription that no order is known to have. Short: the API and the
command share it.

It is not refused: a provider may send a new service type with its next order. But a typing error
would only be noticed by the notices that nobody gets.
"""

from collections.abc import Mapping
from datetime import date

from milepost.connections.connection import Connection
from milepost.notifications.subscription import Subscription
from milepost.queries.service_types import Figures, unknown_service_types


def service_type_warning(
    one: Subscription,
    connections: Mapping[str, Connection],
    *,
    figures: Figures,
    today: date,
) -> str | None:
    """What is unlikely about the subscription's service types, as text; None if nothing is
    unlikely.

    :param connections: every connection, by id; those of the subscription count
    """
    its = {name: found for name, found in connections.items() if one.takes_connection(name)}
    if not one.service_types or not its:
        return None
    unknown, known = unknown_service_types(one.service_types, its, figures=figures, today=today)
    if not unknown:
        return None
    is_one = len(unknown) == 1
    where = "at its connections" if one.connections else "at any connection"
    return (
        f"No order {where} is known to have the service type{'' if is_one else 's'} "
        f"{', '.join(unknown)}; known are: {', '.join(known) or 'none'}. "
        f"Check the spelling: until an order has {'it' if is_one else 'one of them'}, "
        "nobody is notified because of it."
    )
