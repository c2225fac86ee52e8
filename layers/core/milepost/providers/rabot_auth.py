"""RABOT's access tokens, by OAuth 2 client credentials.

Source: RABOT's partner API documentation.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from pydantic import BeforeValidator, Field

from milepost.common.errors import BadPayload
from milepost.common.strict_json import read_object
from milepost.connections.connection import Connection
from milepost.providers.base import Http, SignIn, SignInFailed
from milepost.providers.envelopes import bearer
from milepost.providers.payload_types import Shape, read_amount, read_shape

_RENEW_BEFORE: Final = timedelta(minutes=2)
_USUAL_LIFE: Final = timedelta(minutes=5)
"""Of a token whose end isn't said, or not understood: RFC 6749 (section 5.1) only recommends it."""
_LONGEST_LIFE: Final = timedelta(days=1)


def _seconds(value: Any) -> int:
    """How long a token lives, in seconds: from 0 to a day, whatever the provider says."""
    try:
        seconds = read_amount(value)
    except ValueError:
        return int(_USUAL_LIFE.total_seconds())
    return int(min(max(seconds, Decimal(0)), Decimal(_LONGEST_LIFE.total_seconds())))


class Token(Shape):
    access_token: Annotated[str, Field(pattern=r"^[!-~]+$")]
    """Printable ASCII, as it goes into a header."""
    expires_in: Annotated[int, BeforeValidator(_seconds)] = int(_USUAL_LIFE.total_seconds())


def ask_for_token(
    connection: Connection, credentials: Mapping[str, str], *, http: Http, now: datetime
) -> SignIn:
    """A token. There is no refresh token: the next one is requested again.

    :raises SignInFailed: when none is given
    """
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials.get("client_id", ""),
        "client_secret": credentials.get("client_secret", ""),
        "scope": connection.scopes or "api:partner",
    }
    if not connection.token_url:
        raise SignInFailed(f"connection {connection.id} has no token_url")
    answer = http.request(
        "POST",
        connection.token_url,
        headers={"content-type": "application/x-www-form-urlencoded"},
        body=urlencode(form).encode(),
    )
    if answer.status != 200:
        raise SignInFailed(f"no token: the provider answered {answer.status}")
    try:
        token = read_shape(Token, read_object(answer.body))
    except BadPayload:
        raise SignInFailed("no token: the answer is not the expected JSON") from None
    life = timedelta(seconds=token.expires_in)
    return SignIn(bearer(token.access_token), now + life - min(_RENEW_BEFORE, life / 2))
