"""Subscriptions whose service types no order is known to have. Short: `apply` and `doctor` share
it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from cli.providers.stored_versions import known_provider
from cli.stack import Stack
from milepost.connections.connection import Connection
from milepost.notifications.service_types import service_type_warning
from milepost.notifications.subscription import Subscription
from milepost.queries.aws.figures import FiguresTable


def service_type_warnings(
    stack: Stack, subscriptions: Iterable[Subscription], connections: Mapping[str, Connection]
) -> Iterator[tuple[Subscription, str]]:
    """The active ones of these subscriptions, with what is unlikely, as text."""
    found = [one for one in subscriptions if one.service_types and one.ended is None]
    if not found:
        return
    figures = FiguresTable(stack.client("dynamodb"), table_name=stack.output("FiguresTable"))
    known = {name: _with_usual_type(one) for name, one in connections.items()}
    today = datetime.now(UTC).date()
    for one in found:
        text = service_type_warning(one, known, figures=figures, today=today)
        if text is not None:
            yield one, text


def _with_usual_type(one: Connection) -> Connection:
    """A connection that will be applied and whose declared provider isn't stored yet."""
    declared = known_provider(one.provider)
    usual = declared.said.order.service_type if declared else None
    return replace(one, service_type=one.service_type or usual)
