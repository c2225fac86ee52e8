"""Renewed tokens name the groups of their person, as on AWS.

ministack 1.5.33 leaves them out of tokens that ``/oauth2/token`` gives for a refresh token. Source:
Amazon Cognito, "Refresh tokens": the new ones have the person's present claims.
"""

import importlib
from typing import Any, Final

_RENEWAL: Final = "TokenGeneration_RefreshTokens"


def correct_ministack() -> None:
    """Put the groups in."""
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
