"""The people of the local stack: one of each group, signed in, with tokens that hold for a day."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from local.access import Access
from local.deployment import Deployment

PEOPLE: Final = ("viewer", "operator")
"""Names of people, and of the groups that they are in."""


def sign_people_in(access: Access, deployment: Deployment) -> Mapping[str, str]:
    """Create a viewer and an operator as an administrator would; an access token of each."""
    cognito = access.client("cognito-idp")
    pool, client = deployment.find_id("PeoplePool"), deployment.find_id("PeopleClient")
    return {name: _sign_in(cognito, name, pool=pool, client=client) for name in PEOPLE}


def _sign_in(cognito: Any, name: str, *, pool: str, client: str) -> str:
    password = f"Local-{secrets.token_urlsafe(16)}-1"
    email = {"Name": "email", "Value": f"{name}@example.org"}
    cognito.admin_create_user(
        UserPoolId=pool,
        Username=name,
        UserAttributes=[email],
        MessageAction="SUPPRESS",
        TemporaryPassword=password,
    )
    cognito.admin_set_user_password(
        UserPoolId=pool, Username=name, Password=password, Permanent=True
    )
    cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=name)
    answer = cognito.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=client,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": password},
    )
    token: str = answer["AuthenticationResult"]["AccessToken"]
    return token
