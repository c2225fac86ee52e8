"""Prints the delivery log of an order."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from cli.output import tell, tell_folded, tell_row, without_query
from milepost.notifications.notice import Channel, State

Entry: TypeAlias = Mapping[str, Any]

_COLUMNS: Final = ("when", "kind", "audience", "channel", "state")
_WIDTHS: Final = (16, 11, 8, 7, 10)
_REMARKS: Final = {
    "retry_at": "tried again at",
    "digest": "in the digest",
    "resend_of": "resend of",
    "requested_by": "asked for by",
}


def show_entries(entries: Iterable[Entry], *, with_ids: bool) -> None:
    """Print two lines for each notice: kind and state, then recipient and reason."""
    tell_row(_COLUMNS, _WIDTHS, style="bold")
    for entry in entries:
        tell_row(_cells(entry), _WIDTHS)
        tell_folded(_recipient_and_reason(entry), indent=4)
        if with_ids:
            tell(f"    {entry['id']}")


def entry_as_json(entry: Entry) -> dict[str, Any]:
    """One notice for scripts, with all times in the log."""
    left_out = ("pk", "sk", "expires_at", "claimed_until", "list_shard", "listed_at")
    plain = {name: value for name, value in entry.items() if name not in left_out}
    if "recipient" in plain:
        plain["recipient"] = without_query(plain["recipient"])
    if "attempts" in plain:
        plain["attempts"] = int(plain["attempts"])
    return {"when": when(entry)} | plain


def when(entry: Entry) -> str | None:
    """When its state last changed, in UTC."""
    at = entry.get(f"{entry['state']}_at") or entry.get(f"{State.QUEUED}_at")
    return str(at) if at else None


def _cells(entry: Entry) -> Sequence[str]:
    minute = (when(entry) or "")[:16].replace("T", " ")
    return minute, entry["kind"], entry["audience"], entry["channel"], entry["state"]


def recipient_in_words(entry: Entry) -> str:
    """The recipient of a notice, without parts of an endpoint's URL that may be secret."""
    recipient = without_query(entry.get("recipient") or "nobody")
    if entry["channel"] == Channel.SNS:
        return f"topic {recipient.rpartition(':')[2]}"
    return f"event bus {recipient}" if entry["channel"] == Channel.EVENT_BUS else recipient


def _recipient_and_reason(entry: Entry) -> str:
    recipient, said = recipient_in_words(entry), ", ".join(remarks(entry))
    return f"{recipient}: {said}" if said else recipient


def remarks(entry: Entry) -> Iterator[str]:
    """Details in the log besides the state: the reason, until when the notice is held, ..."""
    if entry.get("reason"):
        yield str(entry["reason"])
    if entry["state"] == State.QUEUED and "due_at" in entry:
        yield f"held until {entry['due_at']}"
    for name, words in _REMARKS.items():
        is_over = name == "retry_at" and entry["state"] != State.QUEUED
        if entry.get(name) and not is_over:
            yield f"{words} {entry[name]}"
