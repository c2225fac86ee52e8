"""A forecast as a line."""

from collections.abc import Mapping
from typing import Any

from cli.local_times import Moments


def forecast_line(forecast: Mapping[str, Any], moments: Moments) -> str:
    """When the order will usually be complete, and from how many orders that is known."""
    end = forecast["end"]
    if end is None or end["earliest"] is None:
        days = forecast["track_days"]
        return f"forecast: not enough orders yet; the {forecast['track']} track takes {days} days"
    earliest, latest = moments.minute(end["earliest"]), end["latest"]
    when = f"between {earliest} and {moments.minute(latest)}" if latest else f"after {earliest}"
    likely = f", most likely {moments.minute(end['likely'])}" if end["likely"] else ""
    unknown = "" if latest else ", no upper date known"
    return (
        f"forecast: usually complete {when}{likely}{unknown}; from {end['orders']} orders, "
        f"of which {end['share']:.0%} are completed"
    )
