"""The table of a stack's subscriptions."""

from collections.abc import Iterable
from typing import Any, Final

from cli.connections.difference import in_words
from cli.output import tell_folded, tell_row, without_query
from milepost.notifications.notice import DEFAULT_KINDS, FOR_READERS, TEAM_KINDS
from milepost.notifications.subscription import Subscription

_COLUMNS: Final = ("subscription", "channel", "mode", "language", "state")


def show_subscriptions(subscriptions: Iterable[Subscription]) -> None:
    """Print two lines for each subscription: its settings, then its filters and why it ended."""
    found = list(subscriptions)
    widths = (max(len(one.id) for one in found), 7, 7, 8, 5)
    tell_row(_COLUMNS, widths, style="bold")
    for one in found:
        tell_row(_cells(one), widths)
        ended = f"; {one.ended}" if one.ended else ""
        tell_folded(f"{without_query(one.recipient)}: {_told_of(one)}{ended}", indent=4)


def subscription_as_json(one: Subscription) -> dict[str, Any]:
    """The same for scripts, with all of its settings."""
    return {
        "id": one.id,
        "channel": str(one.channel),
        "recipient": without_query(one.recipient),
        "kinds": sorted(one.kinds),
        "connections": sorted(one.connections),
        "service_types": sorted(one.service_types),
        "mode": str(one.mode),
        "daily_at": in_words(one.daily_at),
        "quiet_hours": in_words(one.quiet_hours),
        "language": one.language,
        "time_zone": one.time_zone,
        "owner": one.owner,
        "customer_names": one.customer_names,
        "source": one.source,
        "ended": one.ended,
    }


def _cells(one: Subscription) -> tuple[str, ...]:
    is_text = one.channel in FOR_READERS
    return (
        one.id,
        str(one.channel),
        str(one.mode).replace("_", " "),
        one.language if is_text else "-",
        "ended" if one.ended else "active",
    )


def _told_of(one: Subscription) -> str:
    connections = in_words(one.connections) or "all connections"
    services = f", {in_words(one.service_types)}" if one.service_types else ""
    return f"{_kinds(one.kinds)} of {connections}{services}"


def _kinds(kinds: frozenset[str]) -> str:
    if kinds == DEFAULT_KINDS:
        return "the usual kinds"
    return "all kinds" if kinds >= TEAM_KINDS else ", ".join(sorted(kinds))
