"""A mail, ready to be sent. Short: senders, renderers and endpoints share it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail, rendered."""

    to: str
    subject: str
    text: str
    html: str
    headers: dict[str, str] = field(default_factory=dict)
    from_name: str | None = None
    """The display name of the sender."""
    reply_to: str | None = None
