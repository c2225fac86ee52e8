"""Cognito: the sign-in pages have a style, and renewed tokens name groups, as on AWS.

ministack 1.5.33 refuses a template that has ``AWS::Cognito::ManagedLoginBranding``. Its own login
page has one look, so only the resource is kept. Source: AWS CloudFormation template reference,
"AWS::Cognito::ManagedLoginBranding", return values.

The first password that it makes up for a user may be shorter than the pool demands. Source: Amazon
Cognito API reference, "AdminCreateUser", `TemporaryPassword`.

It also leaves the user's groups out of tokens that ``/oauth2/token`` returns for a refresh token.
Source: Amazon Cognito, "Refresh tokens": the new tokens have the user's present claims.
"""

import importlib
import secrets
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

_BRANDING: Final = "AWS::Cognito::ManagedLoginBranding"
_RENEWAL: Final = "TokenGeneration_RefreshTokens"
_LONGEST_MINIMUM: Final = 99
"""Of a pool's password policy, in characters."""


def correct_ministack() -> None:
    """Support the branding resource and policies of passwords; put groups into renewed tokens."""
    provisioners: Any = importlib.import_module("ministack.services.cloudformation.provisioners")
    provisioners._RESOURCE_HANDLERS[_BRANDING] = {
        "create": _create_branding,
        "update": _update_branding,
        "delete": lambda _physical_id, _properties: None,
    }
    _add_groups_to_renewed_tokens()
    _make_long_passwords()


def _create_branding(
    _logical_id: str, properties: Mapping[str, Any], _stack: str
) -> tuple[str, dict[str, str]]:
    style = str(uuid4())
    return f"{properties['UserPoolId']}|{style}", {"ManagedLoginBrandingId": style}


def _update_branding(
    physical_id: str, _old: Mapping[str, Any], _new: Mapping[str, Any], _stack: str
) -> tuple[str, dict[str, str]]:
    return physical_id, {"ManagedLoginBrandingId": physical_id.rpartition("|")[2]}


def _add_groups_to_renewed_tokens() -> None:
    cognito: Any = importlib.import_module("ministack.services.cognito")
    make_token = cognito._fake_token

    def with_groups(
        sub: str, pool_id: str, client_id: str, kind: str, *more: Any, **named: Any
    ) -> Any:
        if named.get("trigger_source") == _RENEWAL and not named.get("groups"):
            users = (cognito._get_pool_unscoped(pool_id) or {}).get("_users", {})
            named["groups"] = users.get(named.get("username"), {}).get("_groups", [])
        return make_token(sub, pool_id, client_id, kind, *more, **named)

    cognito._fake_token = with_groups


def _make_long_passwords() -> None:
    cognito: Any = importlib.import_module("ministack.services.cognito")
    make_password = cognito._generate_temp_password

    def long_enough() -> str:
        password = str(make_password())
        return (
            password + secrets.token_urlsafe(_LONGEST_MINIMUM)[: _LONGEST_MINIMUM - len(password)]
        )

    cognito._generate_temp_password = long_enough
