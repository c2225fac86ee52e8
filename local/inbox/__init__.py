"""The local mail inbox: accepts mails that SES relays by SMTP, and shows them on a page."""

from local.inbox.mailbox import Mail, Mailbox, read_mail
from local.inbox.server import Inbox

__all__ = ["Inbox", "Mail", "Mailbox", "read_mail"]
