"""RABOT's access tokens, by OAuth 2 client credentials.

How long before its end a token is renewed: ``providers.oauth_token``.

Source: RABOT's partner API documentation.
"""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from milepost.connections.connection import Connection
from milepost.providers.base import Http, SignIn, SignInFailed
from milepost.providers.envelopes import bearer
from milepost.providers.oauth_token import read_token


def ask_for_token(
    connection: Connection, credentials: Mapping[str, str], *, http: Http, now: datetime
) -> SignIn:
    """Request an access token. There are no refresh tokens: the next token is requested the same
    way.

    :raises SignInFailed: when the response has no token
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
    token, until = read_token(answer.body, now=now)
    return SignIn(bearer(token), until)
