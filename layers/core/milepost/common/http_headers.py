"""HTTP headers: which values are valid, and what ``Retry-After`` and ``Link`` mean.

Source of ``Retry-After``: RFC 9110, section 10.2.3: seconds, or a date. Of ``Link``: RFC 8288.
"""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

_DELETE: Final = "\x7f"


def is_header_value(text: str) -> bool:
    """Whether a secret can be sent as a header's value, or as a part of it.

    That is printable ASCII and the upper half of Latin-1, with spaces and tabs only inside. Source:
    RFC 9110, section 5.5; ``http.client`` writes headers as Latin-1.
    """
    if not text or text != text.strip():
        return False
    return all(one == "\t" or " " <= one < _DELETE or "\xa0" <= one <= "\xff" for one in text)


LONGEST: Final = timedelta(days=1)
"""Longer waits are limited to this; callers may set a lower limit."""


def read_retry_after(text: str | None, *, now: datetime) -> timedelta | None:
    """How long to wait from now on: zero for a date that has passed, None if the value can't be
    parsed.

    :param text: the header's value; None when there is none
    """
    asked = (text or "").strip()
    if asked.isascii() and asked.isdigit():
        # A number with this many digits is more than a day, and may be too large to convert.
        return min(timedelta(seconds=int(asked)), LONGEST) if len(asked) < 10 else LONGEST
    try:
        date = parsedate_to_datetime(asked)
        aware = date if date.tzinfo else date.replace(tzinfo=UTC)
        return max(timedelta(0), min(aware - now, LONGEST))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


_LONGEST_LINK: Final = 8_000
_LINK: Final = re.compile(
    r"""<([^<>]*)>((?:\s*;\s*[\w!#$&+.^`|~*-]+(?:=(?:"[^"]*"|[^\s;,"]*))?)*)"""
)
_REL: Final = re.compile(r"""(?i:;\s*rel)=(?:"([^"]*)"|([^\s;,"]*))""")


def next_link(text: str | None) -> str | None:
    """The URL of the next page in a ``Link`` header; None if there is none.

    :param text: the header's value; None when there is none
    """
    if not text or len(text) > _LONGEST_LINK:
        return None
    for url, parameters in _LINK.findall(text):
        found = _REL.search(parameters)
        if found and "next" in (found[1] or found[2] or "").lower().split():
            return str(url).strip()
    return None
