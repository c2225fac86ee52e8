"""The user pool's endpoints: sign-in pages, and exchanging codes for tokens.

Source: Amazon Cognito, "Managed login endpoints reference"; RFC 7636 section 4.2 (S256).
"""

import base64
import hashlib
import json
from collections.abc import Callable
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import urllib3

from milepost.aws.errors import AWS_FAILED
from milepost.console.sessions import Attempt, PoolDown, Refused, Tokens
from milepost.console.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

_TIMEOUT: Final = urllib3.Timeout(connect=2, read=5)
_OK: Final = 200
_REFUSED: Final = range(400, 500)


class CognitoPool:
    """Implements ``sessions.Pool``.

    :param open_client: creates a client of ``cognito-idp`` at its first use, for the app client's
        secret and for revoking tokens
    """

    def __init__(
        self,
        open_client: "Callable[[], CognitoIdentityProviderClient]",
        *,
        settings: Settings,
        pool_id: str,
    ) -> None:
        self._open = cache(open_client)
        self._settings = settings
        self._pool_id = pool_id
        self._http = urllib3.PoolManager(retries=False, timeout=_TIMEOUT)

    def sign_in_address(self, attempt: Attempt) -> str:
        at = self._settings.addresses()
        asked = {
            "response_type": "code",
            "client_id": at.client,
            "redirect_uri": self._callback,
            "scope": "openid",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": _challenge(attempt.verifier),
            "code_challenge_method": "S256",
        }
        return f"{at.login}/oauth2/authorize?{urlencode(asked)}"

    def sign_out_address(self) -> str:
        at = self._settings.addresses()
        asked = {"client_id": at.client, "logout_uri": f"{at.url}/signed-out"}
        return f"{at.login}/logout?{urlencode(asked)}"

    def exchange(self, code: str, *, verifier: str) -> Tokens:
        return self._ask_for_tokens(
            grant_type="authorization_code",
            code=code,
            code_verifier=verifier,
            redirect_uri=self._callback,
        )

    def renew(self, refresh_token: str) -> Tokens:
        return self._ask_for_tokens(grant_type="refresh_token", refresh_token=refresh_token)

    def revoke(self, refresh_token: str) -> None:
        try:
            self._open().revoke_token(
                Token=refresh_token,
                ClientId=self._settings.addresses().client,
                ClientSecret=self._secret,
            )
        except AWS_FAILED:
            raise PoolDown("the token could not be revoked") from None

    @property
    def _callback(self) -> str:
        return f"{self._settings.addresses().url}/signed-in"

    @cached_property
    def _secret(self) -> str:
        answer = self._open().describe_user_pool_client(
            UserPoolId=self._pool_id, ClientId=self._settings.addresses().client
        )
        secret: str = answer["UserPoolClient"]["ClientSecret"]
        return secret

    def _ask_for_tokens(self, **form: str) -> Tokens:
        at = self._settings.addresses()
        basic = base64.b64encode(f"{at.client}:{self._secret}".encode()).decode()
        try:
            answer = self._http.request(
                "POST",
                f"{at.login}/oauth2/token",
                body=urlencode({**form, "client_id": at.client}),
                headers={
                    "authorization": f"Basic {basic}",
                    "content-type": "application/x-www-form-urlencoded",
                },
                redirect=False,
            )
        except urllib3.exceptions.HTTPError:
            raise PoolDown("the user pool's domain doesn't respond") from None
        if answer.status in _REFUSED and answer.status != 429:
            raise Refused(f"the user pool responded with {answer.status}")
        if answer.status != _OK:
            raise PoolDown(f"the user pool responded with {answer.status}")
        said = json.loads(answer.data)
        return Tokens(claims=_claims(said["id_token"]), refresh_token=said.get("refresh_token"))


def _claims(token: str) -> dict[str, Any]:
    # It came from the pool itself by TLS, which replaces verifying its signature: OpenID Connect
    # Core 1.0,
    # section 3.1.3.7, 6.
    body = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
