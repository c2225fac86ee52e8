"""Why a person should look at an order: what its provider said last, in words."""

from typing import Final

from milepost.order import Attention, Effect, Entry
from milepost.report import Details, Status, format_instant

UNREAD: Final = "unreadable_data"
"""The code of the reason for attention that something was left out of what a provider said."""


def reason_of_unread(details: Details) -> Attention | None:
    """Why to look when not everything that the provider said could be read."""
    names = details.get("unread")
    if not names:
        return None
    return Attention(
        UNREAD,
        f"The provider sent what can't be read, or can't be right, in: {', '.join(names)}. It was "
        "left out and the rest is kept; look at the provider's own page.",
    )


def reason_to_look(entry: Entry, status: Status) -> Attention | None:
    """Why to look after this was said, of an order that has this status now."""
    raw = entry.report.raw_status
    when = format_instant(entry.report.occurred_at)
    match entry.effect:
        case Effect.UNKNOWN_STATUS:
            return Attention(
                "unknown_status",
                f"The provider said {raw!r} at {when}, which is not a status we know. "
                f"The order stays {status}; look at the provider's own page.",
            )
        case Effect.OUT_OF_SEQUENCE:
            return Attention(
                "out_of_sequence",
                f"The provider said {raw!r} at {when}, which cannot follow {status}. "
                "It is kept on the timeline; ask the provider which of the two holds.",
            )
        case Effect.CORRECTED:
            return Attention(
                "correction",
                f"The provider took back an earlier decision: the order is {status} again "
                f"since {when}. Tell the customer if they were told otherwise.",
            )
        case _:
            return None
