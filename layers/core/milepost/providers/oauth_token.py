"""OAuth 2 access tokens in a provider's response (RFC 6749, section 5.1)."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from milepost.common.errors import BadPayload
from milepost.common.strict_json import read_object
from milepost.providers.base import SignInFailed
from milepost.providers.payload_types import Shape, read_amount, read_shape

_RENEW_BEFORE: Final = timedelta(minutes=2)
_USUAL_LIFE: Final = timedelta(minutes=5)
"""Used if ``expires_in`` is missing or invalid: RFC 6749 (section 5.1) only recommends it."""
_LONGEST_LIFE: Final = timedelta(days=1)


def _seconds(value: Any) -> int:
    """The lifetime of a token in seconds, limited to the range from 0 to one day."""
    try:
        seconds = read_amount(value)
    except ValueError:
        return int(_USUAL_LIFE.total_seconds())
    return int(min(max(seconds, Decimal(0)), Decimal(_LONGEST_LIFE.total_seconds())))


class Token(Shape):
    access_token: Annotated[str, Field(pattern=r"^[!-~]+$")]
    """Printable ASCII, since it is sent in a header."""
    expires_in: Annotated[int, BeforeValidator(_seconds)] = int(_USUAL_LIFE.total_seconds())


def read_token(body: bytes, *, now: datetime) -> tuple[str, datetime]:
    """The token of a response, and when to stop using it.

    :raises SignInFailed: when the response has no token
    """
    try:
        token = read_shape(Token, read_object(body))
    except BadPayload:
        raise SignInFailed("no token: the answer is not the expected JSON") from None
    life = timedelta(seconds=token.expires_in)
    return token.access_token, now + life - min(_RENEW_BEFORE, life / 2)
