"""Requests to the deployed API with a viewer's or an operator's token."""

import json
import secrets
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.e2e.conftest import Client


@dataclass
class Api:
    """Sends requests to the API with a user's token."""

    client: Client

    @cached_property
    def cognito(self) -> Any:
        return self.client.stack.client("cognito-idp")

    def token(self, role: str) -> str:
        return self.client.stack.tokens[role]

    def ask(
        self, method: str, path: str, token: str | None = None, body: Any = None
    ) -> tuple[int, Any]:
        headers = {"content-type": "application/json"}
        headers |= {"authorization": f"Bearer {token}"} if token else {}
        data = None if body is None else json.dumps(body).encode()
        url = self.client.stack.api_url + path
        status, content = self.client.call(method, url, data, headers)
        return status, json.loads(content) if content else None

    def read(self, path: str, *, role: str = "viewer") -> Any:
        status, body = self.ask("GET", path, self.token(role))
        assert status == 200, body
        return body

    def sign_in(self, client_id: str) -> str:
        """A token of the operator, from this app client."""
        password = f"Test-{secrets.token_urlsafe(16)}-1"
        pool = self.client.stack.outputs["PeoplePool"]
        self.cognito.admin_set_user_password(
            UserPoolId=pool, Username="tester", Password=password, Permanent=True
        )
        answer = self.cognito.admin_initiate_auth(
            UserPoolId=pool,
            ClientId=client_id,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "tester", "PASSWORD": password},
        )
        token: str = answer["AuthenticationResult"]["AccessToken"]
        return token
