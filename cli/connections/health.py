"""The health of connections in words, from their polls and webhooks."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cli.local_times import Moments, in_words

_WORDS: Final[Mapping[str, str]] = {
    "works": "works",
    "unusable": "unusable",
    "not_applied": "not applied",
    "failing": "failing",
    "waiting": "has to wait",
    "late": "late",
    "never_polled": "never polled",
    "not_polled": "not polled",
}


def condition_in_words(health: Mapping[str, Any]) -> str:
    """The condition, in a word or two."""
    return _WORDS.get(health["condition"], str(health["condition"]))


def troubles(connection: Mapping[str, Any], moments: Moments) -> Iterator[str]:
    """The problems of a connection, one sentence each."""
    health = connection["health"]
    if health["condition"] in ("unusable", "not_applied"):
        yield f"{health['last_error']}."
        return
    if health["failures"]:
        worked = moments.minute(health["last_success_at"]) or "never"
        yield (
            f"{health['failures']} polls in a row failed, the last one "
            f"{moments.minute(health['last_failure_at'])}: {health['last_error']}. "
            f"The last that worked: {worked}."
        )
    if health["not_before"]:
        yield f"The provider asked us to wait until {moments.minute(health['not_before'])}."
    if health["condition"] == "late":
        yield f"Its polls are {in_words(health['lag_seconds'])} behind their schedule."
    if health["is_paused"]:
        yield "A poll ran out of time; the next one continues where it stopped."
