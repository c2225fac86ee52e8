"""Sign-in at a declared provider."""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from milepost.common.errors import BadPayload
from milepost.common.http_headers import is_header_value
from milepost.common.strict_json import read_object
from milepost.connections.connection import Connection
from milepost.providers.base import Http, SignIn, SignInFailed
from milepost.providers.declared.expressions import Unfit, compile_expression
from milepost.providers.declared.file_format import Declaration
from milepost.providers.declared.file_parts import places_in
from milepost.providers.declared.file_sign_in import (
    BasicSignIn,
    BearerSignIn,
    HeaderSignIn,
    LoginSignIn,
    OAuthSignIn,
    QuerySignIn,
)
from milepost.providers.envelopes import credential
from milepost.providers.oauth_token import read_token

_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"


def sign_in(
    said: Declaration,
    connection: Connection,
    credentials: Mapping[str, str],
    *,
    http: Http,
    now: datetime,
) -> SignIn:
    """Sign in; returns the headers or query that authenticate requests.

    :raises SignInFailed: when a credential is missing or not accepted
    """
    carried = {"accept": "application/json", **said.headers}

    def one(name: str) -> str:
        return credential(connection, credentials, name)

    query: dict[str, str] = {}
    until: datetime | None = None
    match said.sign_in:
        case HeaderSignIn() as way:
            carried[way.header.lower()] = way.prefix + one(way.credential)
        case BearerSignIn() as way:
            carried["authorization"] = f"Bearer {one(way.credential)}"
        case BasicSignIn() as way:
            carried["authorization"] = basic(one(way.user), one(way.password))
        case QuerySignIn() as way:
            query[way.parameter] = one(way.credential)
        case OAuthSignIn() as way:
            token, until = _ask_for_token(way, connection, credentials, http=http, now=now)
            carried["authorization"] = f"Bearer {token}"
        case LoginSignIn() as way:
            token = _log_in(way, carried, connection, credentials, http=http)
            carried[way.header.lower()] = way.prefix + token
            until = now + timedelta(minutes=way.minutes)
    return SignIn(carried, until, query)


def basic(user: str, password: str) -> str:
    """HTTP basic authentication (RFC 7617)."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def _ask_for_token(
    way: OAuthSignIn,
    connection: Connection,
    credentials: Mapping[str, str],
    *,
    http: Http,
    now: datetime,
) -> tuple[str, datetime]:
    user = credential(connection, credentials, "client_id")
    password = credential(connection, credentials, "client_secret")
    is_json = way.client == "json"
    form = {"grant_type": "client_credentials", **way.parameters}
    headers = {"content-type": _JSON if is_json else _FORM, "accept": _JSON}
    if way.client == "basic":
        headers["authorization"] = basic(user, password)
    else:
        form |= {"client_id": user, "client_secret": password}
    if scope := connection.scopes or way.scope:
        form["scope"] = scope
    token_url = connection.token_url or way.token_url
    if not token_url:
        raise SignInFailed(f"connection {connection.id} has no token_url")
    answer = http.request(
        "POST",
        token_url,
        headers=headers,
        body=(json.dumps(form) if is_json else urlencode(form)).encode(),
    )
    if answer.status not in (200, 201):
        raise SignInFailed(f"no token: the provider answered {answer.status}")
    return read_token(answer.body, now=now)


def _log_in(
    way: LoginSignIn,
    carried: Mapping[str, str],
    connection: Connection,
    credentials: Mapping[str, str],
    *,
    http: Http,
) -> str:
    body = {}
    for name, text in way.body.items():
        value = text
        for place in dict.fromkeys(places_in(text)):
            value = value.replace(f"{{{place}}}", credential(connection, credentials, place))
        body[name] = value
    answer = http.request(
        "POST",
        connection.base_url.rstrip("/") + way.path,
        headers={**carried, "content-type": "application/json"},
        body=json.dumps(body).encode(),
    )
    if answer.status not in (200, 201):
        raise SignInFailed(f"no token: the provider answered {answer.status}")
    try:
        token: Any = compile_expression(way.token)(read_object(answer.body))
    except (BadPayload, Unfit):
        raise SignInFailed("no token: the answer is not the expected JSON") from None
    if not isinstance(token, str) or not token.isprintable() or not is_header_value(token):
        raise SignInFailed("no token: the answer has none where the file says")
    return token
