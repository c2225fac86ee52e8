"""Protection against forged requests: a form's token, and the browser's request headers.

Sources: OWASP, "Cross-Site Request Forgery Prevention Cheat Sheet" (HMAC-based token patterns,
fetch metadata); W3C, "Fetch Metadata Request Headers".
"""

import base64
import hashlib
import hmac
import secrets
from typing import Final
from urllib.parse import urlsplit

from milepost.console.request import Request

FIELD: Final = "csrf"
HEADER: Final = "x-csrf-token"
_SALT: Final = 9
_PURPOSE: Final = b"milepost form 1"


def form_token(session_id: str) -> str:
    """A token for the forms of a session. Each token is different, so that a page's size discloses
    nothing.
    """
    salt = secrets.token_bytes(_SALT)
    return _text(salt + _sign(session_id, salt))


def is_own_form(request: Request, *, session_id: str, origin: str) -> bool:
    """Whether a page of the console sent the token in this session.

    :param origin: scheme, host and port of the console
    """
    return _comes_from(request, origin) and _has_token(request, session_id)


def _comes_from(request: Request, origin: str) -> bool:
    site = request.headers.get("sec-fetch-site")
    said = request.headers.get("origin")
    if said is None:
        # Every current browser sends one of the two with a POST.
        return site == "same-origin"
    return said == origin and site in (None, "same-origin")


def _has_token(request: Request, session_id: str) -> bool:
    said = request.headers.get(HEADER) or request.form.one(FIELD)
    try:
        raw = base64.urlsafe_b64decode(said.encode("ascii") + b"=" * (-len(said) % 4))
    except ValueError:
        return False
    salt, signature = raw[:_SALT], raw[_SALT:]
    return hmac.compare_digest(signature, _sign(session_id, salt))


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _sign(session_id: str, salt: bytes) -> bytes:
    return hmac.digest(session_id.encode(), _PURPOSE + salt, hashlib.sha256)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
