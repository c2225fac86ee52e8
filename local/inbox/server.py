"""The inbox's two servers: SMTP for SES, HTTP for people and tests."""

import logging

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from local.inbox.mailbox import Mailbox, read_mail
from local.inbox.page import answer_inbox
from local.page_server import PageServer

# It writes each connection as information, which would be printed between the lines of `make run`.
logging.getLogger("mail.log").setLevel(logging.WARNING)


class _Delivery:
    """Accepts mails from aiosmtpd."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name for it
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
    ) -> str:
        """Store the mail and accept it (RFC 5321, reply code 250)."""
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        mail = read_mail(raw, sender=envelope.mail_from or "", recipients=envelope.rcpt_tos)
        self._mailbox.add(mail)
        return "250 Kept"


class Inbox:
    """A running inbox at ``smtp_address`` ("host:port") and ``url``."""

    def __init__(self, *, smtp_port: int, page_port: int) -> None:
        self.mailbox = Mailbox()
        self._smtp = Controller(_Delivery(self.mailbox), hostname="127.0.0.1", port=smtp_port)
        self._smtp.start()
        self.smtp_address = f"127.0.0.1:{smtp_port}"
        self._pages = PageServer(lambda path: answer_inbox(self.mailbox, path), port=page_port)
        self.url = self._pages.url

    def close(self) -> None:
        """Stop both servers and free their ports."""
        self._pages.close()
        self._smtp.stop()
