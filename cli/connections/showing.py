"""Prints a difference, for people or as JSON."""

from typing import Any, Final

from rich.text import Text

from cli.connections.difference import (
    Change,
    ConnectionChange,
    Difference,
    FieldChange,
    SubscriptionChange,
)
from cli.output import tell

_SIGNS: Final = {Change.ADDED: "+", Change.CHANGED: "~", Change.REMOVED: "-"}
_STYLES: Final = {Change.ADDED: "green", Change.CHANGED: "yellow", Change.REMOVED: "red"}


def show_difference(difference: Difference) -> None:
    """Print the changes, one line for each field."""
    for connection in difference.connections:
        _show_heading(connection, connection.id)
        _show_fields(connection.fields)
    for subscription in difference.subscriptions:
        _show_heading(subscription, f"subscription of {subscription.recipient}")
        _show_fields(subscription.fields)
    for one in difference.left_alone:
        tell(f"{one} is not in the file and is not changed (--prune removes it)", style="dim")


def difference_as_json(difference: Difference) -> dict[str, Any]:
    """The difference for a script."""
    return {
        "connections": [
            {"id": one.id, "change": str(one.change), "fields": _fields_as_json(one.fields)}
            for one in difference.connections
        ],
        "subscriptions": [
            {
                "id": one.id,
                "recipient": one.recipient,
                "change": str(one.change),
                "fields": _fields_as_json(one.fields),
            }
            for one in difference.subscriptions
        ],
        "left_alone": list(difference.left_alone),
    }


def _show_heading(one: ConnectionChange | SubscriptionChange, name: str) -> None:
    tell(Text(f"{_SIGNS[one.change]} {name} is {one.change}", style=_STYLES[one.change]))


def _show_fields(changes: tuple[FieldChange, ...]) -> None:
    width = max((len(one.field) for one in changes), default=0)
    for one in changes:
        before = f"{one.before} → " if one.before is not None else ""
        tell(f"    {one.field:<{width}}  {before}{'-' if one.after is None else one.after}")


def _fields_as_json(changes: tuple[FieldChange, ...]) -> list[dict[str, str | None]]:
    return [{"field": one.field, "before": one.before, "after": one.after} for one in changes]
