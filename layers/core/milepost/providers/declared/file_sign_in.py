"""The part of a provider's file about how requests are signed in.

Like all parts, its docstrings are the descriptions of the published JSON Schema (``file_parts``).
"""

import re
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from milepost.providers.declared.file_parts import (
    Expression,
    Header,
    Name,
    Parameter,
    Part,
    Path,
    Query,
    places_in,
)


class NoSignIn(Part):
    """Requests are sent without credentials."""

    kind: Literal["none"]


class HeaderSignIn(Part):
    """A key in a header: ``x-api-key: …``, or ``authorization: Token …`` with a prefix."""

    kind: Literal["header"]
    header: Header
    """The header's name."""
    prefix: Annotated[str, Field(max_length=40)] = ""
    """Text before the key, such as ``Token`` and a space."""
    credential: Name = "api_key"
    """The name of the credential that is the key."""


class BearerSignIn(Part):
    """``authorization: Bearer …``."""

    kind: Literal["bearer"]
    credential: Name = "token"
    """The name of the credential that is the token."""


class BasicSignIn(Part):
    """HTTP basic authentication."""

    kind: Literal["basic"]
    user: Name = "username"
    """The name of the credential that is the user."""
    password: Name = "password"  # noqa: S105 - the name of a credential
    """The name of the credential that is the password."""


class QuerySignIn(Part):
    """A key in the query. It is sent with every request and never logged."""

    kind: Literal["query"]
    parameter: Parameter
    """The parameter of the query."""
    credential: Name = "api_key"
    """The name of the credential that is the key."""


class OAuthSignIn(Part):
    """OAuth 2 client credentials (RFC 6749, section 4.4)."""

    kind: Literal["oauth2"]
    token_url: Annotated[str, Field(max_length=300)] | None = None
    """Leave it out if each account has its own: connections then set it."""
    client: Literal["form", "basic", "json"] = "form"
    """How the client's id and secret are sent: in the form, as basic authentication beside it, or
    in a JSON body instead of a form."""
    scope: Annotated[str, Field(max_length=300)] | None = None
    """The scope to request; several are separated by spaces."""
    parameters: Query = Field(default_factory=dict)
    """Further fields of the form or body, such as an audience."""


class LoginSignIn(Part):
    """A token that is requested with user name and password."""

    kind: Literal["login"]
    path: Path
    """The path of the login call, below base_url."""
    body: Annotated[dict[Parameter, str], Field(max_length=20)]
    """The JSON body, with credentials in braces, such as ``"{username}"``."""
    token: Expression
    """The place of the token in the response."""
    header: Header = "authorization"
    """The header in which the token is sent."""
    prefix: Annotated[str, Field(max_length=40)] = "Bearer "
    """Text before the token."""
    minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    """How long a token is used."""

    @model_validator(mode="after")
    def _places(self) -> "LoginSignIn":
        for value in self.body.values():
            for place in places_in(value):
                if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", place):
                    raise ValueError("body names a credential that can't be one")
        return self


SignIn = Annotated[
    NoSignIn | HeaderSignIn | BearerSignIn | BasicSignIn | QuerySignIn | OAuthSignIn | LoginSignIn,
    Field(discriminator="kind"),
]


def credentials_of(sign_in: Any) -> tuple[str, ...]:
    """The names of the credentials that this sign-in needs."""
    match sign_in:
        case HeaderSignIn() | BearerSignIn() | QuerySignIn():
            return (sign_in.credential,)
        case BasicSignIn():
            return (sign_in.user, sign_in.password)
        case OAuthSignIn():
            return ("client_id", "client_secret")
        case LoginSignIn():
            names = [name for value in sign_in.body.values() for name in places_in(value)]
            return tuple(dict.fromkeys(names))
    return ()
