"""A message that is shown once on the next page, from a cookie. Short: one cookie."""

import base64
import binascii
from typing import Final

from milepost.console.cookies import secure_cookie
from milepost.console.request import Request

FLASH_COOKIE: Final = "__Host-milepost-done"
_SECONDS: Final = 60
_LONGEST: Final = 1_000


def flash_cookie(text: str) -> str:
    """The cookie with the message for the next page."""
    said = base64.urlsafe_b64encode(text[:_LONGEST].encode()).decode()
    return secure_cookie(FLASH_COOKIE, said, seconds=_SECONDS)


def removed_flash() -> str:
    """The cookie that removes the message."""
    return secure_cookie(FLASH_COOKIE, "", seconds=0)


def flash_of(request: Request) -> str | None:
    """The message of the previous page."""
    try:
        return base64.urlsafe_b64decode(request.cookies.get(FLASH_COOKIE, "")).decode() or None
    except (binascii.Error, ValueError):
        return None
