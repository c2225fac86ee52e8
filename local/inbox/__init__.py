"""The local mail inbox: takes what SES relays by SMTP and shows it on a page."""

from local.inbox.mailbox import Mail, Mailbox, read_mail
from local.inbox.server import Inbox

__all__ = ["Inbox", "Mail", "Mailbox", "read_mail"]
