"""Reasons for attention: why a person should look at an order, as text."""

from collections.abc import Mapping, Sequence
from typing import Final

from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.orders.details import Details
from milepost.orders.item_sizes import SHORTENED
from milepost.orders.order import OVERDUE, Attention, Effect, Entry
from milepost.orders.summary import Summary

UNREAD: Final = "unreadable_data"
"""The code of the reason for attention that part of a payload could not be read."""
CODES: Final = frozenset(
    {
        OVERDUE,
        SHORTENED,
        UNREAD,
        "correction",
        "email_not_sent",
        "far_appointment",
        "history_shortened",
        "invalid_identifier",
        "late_report",
        "missing_data",
        "more_reasons",
        "out_of_sequence",
        "payment_due",
        "payment_failed",
        "unknown_status",
    }
)
"""All codes of reasons for attention."""
WITHOUT_THE_PROVIDERS_WORDS: Final[Mapping[str, str]] = {
    "unknown_status": "The provider named a status that we don't know; its name is shown with the "
    "order. Look at the provider's own page.",
    "late_report": "A report of the provider came very late and changed nothing; it is shown with "
    "the order. Compare the order with the provider's own page.",
    "email_not_sent": "A mail of the provider to the customer was not sent; the order shows which, "
    "and why.",
}
"""By code, what replaces a reason for attention that quotes the provider."""


def reason_of_unread(details: Details) -> Attention | None:
    """The reason when not all of the provider's payload could be read; else None."""
    names = details.get("unread")
    if not names:
        return None
    return Attention(
        UNREAD,
        f"The provider sent what can't be read, or can't be right, in: {', '.join(names)}. It was "
        "left out and the rest is kept; look at the provider's own page.",
    )


def reason_to_look(entry: Entry, status: Status) -> Attention | None:
    """The reason that an entry of the timeline gives for an order that has this status now."""
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


def reason_of_late(late: Sequence[Entry], summary: Summary, status: Status) -> Attention | None:
    """The reason if reports arrived late, after the reports of their time had been folded into the
    summary.
    """
    if not late and not summary.late:
        return None
    more = summary.late + len(late) - 1
    last = late[-1].report if late else None
    said = f"{last.raw_status!r} at {format_instant(last.occurred_at)}" if last else "something"
    return Attention(
        "late_report",
        f"The provider said {said}, which came when the order's history until "
        f"{format_instant(summary.until)} had been summed up; {more} more came like this. It "
        f"changed nothing: the order stays {status}. Compare it with the provider's own page.",
    )


def reason_of_cut(summary: Summary) -> Attention | None:
    """The reason when actions or notes of people are no longer on the timeline."""
    if not summary.people:
        return None
    return Attention(
        "history_shortened",
        f"The history is so long that {summary.people} of the oldest notes and actions of people "
        "are no longer shown. Note again what still matters.",
    )


def reason_of_shortened(details: Details) -> Attention | None:
    """The reason if the provider sent more than is stored."""
    if SHORTENED not in details:
        return None
    return Attention(
        SHORTENED,
        f"The provider said more than can be stored: {details['shortened']}. "
        "Look at the provider's own page for the rest.",
    )


def reason_of_more(count: int) -> Attention:
    """One reason that replaces all reasons beyond the number that is shown."""
    return Attention(
        "more_reasons",
        f"There are {count} more reasons to look, which show when others are settled.",
    )
