"""A mail as its reader sees it, within a page or as its own page. Short: two pages share it."""

from typing import Final, Protocol

from milepost.console.responses import Answer
from milepost.notifications.mail.message import Mail
from milepost.notifications.notice import Notice
from milepost.notifications.subscription import DigestReason
from milepost.orders.order import TrackedOrder

_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; sandbox"
)
"""A mail contains its own styles. It runs no script, sends no form and loads nothing."""


class MailWriter(Protocol):
    """Renders mails (``renderer.MailRenderer``)."""

    def render(
        self, notice: Notice, tracked: TrackedOrder, *, time_zone: str | None = None
    ) -> Mail: ...

    def preview(self, kind: str, *, connection: str, language: str, audience: str) -> Mail: ...

    def preview_digest(
        self, reason: DigestReason, *, connection: str, language: str, audience: str
    ) -> Mail: ...


def mail_alone(mail: Mail) -> Answer:
    """The HTML of a mail as a sandboxed page of its own."""
    return Answer(body=mail.html.encode(), headers={"content-security-policy": _POLICY})
