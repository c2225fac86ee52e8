"""The state after a run, without values that differ between any two runs."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

_PASSING: Final = frozenset(
    {"seen", "seen_at", "announced_at", "queued_at", "sent_at", "delivered_at", "failed_at",
     "skipped_at", "bounced_at", "retry_at", "failing_since", "not_before", "suppressed_at",
     "expires_at", "claimed_until", "claimed_by", "received_at", "last_success_at",
     "lease_until", "lease_holder", "updated_at", "listed_at", "lifted_at",
     "token", "message_id", "replayed_at", "erased_at", "marked_at", "escalated_at", "revoked_at"}
)  # fmt: skip
"""What differs between any two runs."""
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


def plain(value: Any) -> Any:
    """All stored and sent data, without values that differ between any two runs."""
    if isinstance(value, Mapping):
        passing = _PASSING | _passing_in(value)
        kept = {name: plain(one) for name, one in value.items() if name not in passing}
        if any(_is_a_start(entry) for entry in kept.get("timeline", ())):
            kept.pop("version", None)  # One more for each start that is noted.
        return dict(sorted(kept.items()))
    if isinstance(value, list):
        return _without_order_of_people([plain(one) for one in value])
    return _plain_text(value) if isinstance(value, str) else value


def _without_order_of_people(entries: list[Any]) -> list[Any]:
    """The entries about people's changes, after all others, since entries of the same millisecond
    have no order. A worker that carries out a plan after another one was killed records the start
    again."""
    others = [one for one in entries if not _is_of_a_person(one)]
    by_people = {
        json.dumps(one, default=str, sort_keys=True): one for one in entries if _is_of_a_person(one)
    }
    return [*others, *(by_people[name] for name in sorted(by_people))]


def _is_of_a_person(entry: Any) -> bool:
    return isinstance(entry, Mapping) and entry.get("source") == "person"


def _is_a_start(entry: Any) -> bool:
    return _is_of_a_person(entry) and '"result": "started"' in json.dumps(entry, default=str)


def _passing_in(value: Mapping[str, Any]) -> set[str]:
    """Values that differ: the time of a person's change; the time up to which the watch has
    checked; the version of the declaration, which changes with each change."""
    if value.get("source") == "person":
        return {"at"}
    if value.get("pk") == "declaration":
        return {"version", "changed_at"}
    return {"until"} if value.get("pk") == "watch" else set()


def _plain_text(text: str) -> Any:
    if text == "nothing new":
        return "something new was recorded"  # By the same refresh, before it was killed.
    if _INSTANT.search(text) and ("#" in text or ":start:" in text):
        # A key by which something is found when it is due, or of one start of a plan.
        return _INSTANT.sub("*", text)
    if text[:1] in ("{", "["):
        with suppress(ValueError):
            return plain(json.loads(text))
    return text


def told(message: Any) -> Any:
    """A message of a queue; from SNS and EventBridge, the published message under a constant id."""
    if "detail-type" in message:
        return plain(message["detail"])
    return plain(json.loads(message["Message"]) if "Message" in message else message)


def distinct(values: Any) -> list[str]:
    """Each one once, in any order."""
    return sorted({json.dumps(value, default=str, sort_keys=True) for value in values})
