"""The mail that says that an export is ready, or why it failed.

It contains no data of the list, and no link that opens the file: its link leads to the console,
where the person signs in and their role is checked.
"""

import logging
from email.utils import formataddr
from html import escape
from typing import TYPE_CHECKING

from milepost.aws.ses_mails import send_mail
from milepost.exports.export import Export, ExportState

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

logger = logging.getLogger(__name__)


class ExportMailer:
    """Implements ``export.Mailer`` by SES."""

    def __init__(self, client: "SESV2Client", *, sender: str, console_url: str) -> None:
        self._client = client
        self._sender = sender
        self._console_url = console_url

    def send(self, export: Export) -> None:
        subject, text = said_of(export, address=f"{self._console_url}/exports/{export.id}")
        lines = "".join(f"<p>{_linked(one)}</p>" for one in text.split("\n\n"))
        html = f'<!doctype html><html lang="en"><body>{lines}</body></html>'
        refused = send_mail(
            self._client,
            sender=formataddr(("Milepost", self._sender)),
            to=export.mail_to or "",
            subject=subject,
            text=text,
            html=html,
        )
        if refused is not None:
            logger.warning("an export's mail was refused: %s", refused)


def said_of(export: Export, *, address: str) -> tuple[str, str]:
    """The subject and the text of the mail; paragraphs have an empty line between them."""
    what = f"of {export.list_name}"
    made = f"You made it on {export.created_at:%d %B %Y at %H:%M} UTC."
    if export.state is ExportState.READY:
        return (
            f"Your export {what} is ready",
            f"Your export {what} is ready: {export.rows:,} rows. {made}\n\n"
            f"Sign in to download it: {address}\n\n"
            f"The file is kept until {export.available_until:%d %B %Y, %H:%M} UTC.",
        )
    why = export.why or "the reason is unknown"
    return (
        f"Your export {what} failed",
        f"Your export {what} could not be made: {why}. {made}\n\nSee {address}",
    )


def _linked(paragraph: str) -> str:
    """The paragraph as HTML; a URL at its end becomes a link."""
    start, _, last = paragraph.rpartition(" ")
    if not last.startswith("https://"):
        return escape(paragraph)
    return f'{escape(start)} <a href="{escape(last)}">{escape(last)}</a>'
