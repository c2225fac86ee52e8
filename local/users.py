"""Users of the local stack: one in each group, with tokens that are valid for a day."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.deployment import Deployment
from local.emulator_access import Access

PEOPLE: Final = ("viewer", "operator")
"""Names of people, and of the groups that they are in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalPerson:
    """A user who can sign in to the console, and who has a token for the orders API."""

    username: str
    password: str
    token: str


def create_people(access: Access, deployment: Deployment) -> Mapping[str, LocalPerson]:
    """Create a viewer and an operator in the way in which an administrator does."""
    cognito = access.client("cognito-idp")
    pool, client = deployment.find_id("PeoplePool"), deployment.find_id("PeopleClient")
    passwords = {name: f"Local-{secrets.token_urlsafe(16)}-1" for name in PEOPLE}
    return {
        name: LocalPerson(
            username=name,
            password=password,
            token=_sign_in(cognito, name, password, pool=pool, client=client),
        )
        for name, password in passwords.items()
    }


def _sign_in(cognito: Any, name: str, password: str, *, pool: str, client: str) -> str:
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
