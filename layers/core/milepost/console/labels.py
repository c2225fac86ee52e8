"""Labels and symbols for statuses, causes and other values."""

from typing import Final

_MARKS: Final = {
    "unknown": "?",
    "pending": "○",
    "submitted": "◔",
    "accepted": "◑",
    "scheduled": "◷",
    "in_progress": "◕",
    "completed": "✓",
    "active": "●",
    "rejected": "✕",
    "failed": "!",
    "cancelled": "⊘",
}
"""A shape for each status, so that colour is never the only sign."""
_LABELS: Final = {
    "any": "Anything",
    "sns": "SNS topic",
    "unreadable_data": "Data can't be read",
    "missing_data": "Data is missing",
    "email_not_sent": "Mail not sent",
    "unknown_status": "Status not known",
}


def words(name: object) -> str:
    """An identifier as words: ``needs_clarification`` as ``needs clarification``."""
    return str(name).replace("_", " ")


def label(name: object) -> str:
    """The same, with a capital letter at the beginning."""
    text = _LABELS.get(str(name)) or words(name)
    return text[:1].upper() + text[1:]


def mark_of(status: object) -> str:
    """The shape of a status."""
    return _MARKS.get(str(status), "•")


def recipient_name(recipient: str | None) -> str:
    """A recipient in the form for people: for a topic's ARN, only the name."""
    text = recipient or ""
    return text.rpartition(":")[2] if text.startswith("arn:") else text
