"""Notices as mails: in the recipient's language, as plain text and as HTML.

Names, notes and reasons come from outside. They are values, never templates; HTML is escaped, and
what goes into a header is one line.
"""

from milepost.rendering.digests import Digest, DigestLine
from milepost.rendering.mails import MailRenderer
from milepost.rendering.overrides import BrokenTemplate, Overrides, check_override
from milepost.subscriptions import DigestReason

__all__ = [
    "BrokenTemplate",
    "Digest",
    "DigestLine",
    "DigestReason",
    "MailRenderer",
    "Overrides",
    "check_override",
]
