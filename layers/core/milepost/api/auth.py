"""Authorization: the caller and their roles, from the claims of a verified token.

Source: Amazon Cognito, "Understanding the access token" and "Understanding the identity token":
``cognito:groups``, ``username`` or ``cognito:username``, ``sub``.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from milepost.api.problems import Problem

_SCHEME: Final = re.compile(r"\A\s*bearer\s+", re.IGNORECASE)
"""The scheme of the header ``Authorization``, which is case-insensitive (RFC 9110, 11.1)."""


class Role(StrEnum):
    """A group of the user pool: a viewer may read, an operator may write as well.

    A group such as ``operator:offergrid-home`` is the role for that connection; several add up.
    """

    VIEWER = "viewer"
    OPERATOR = "operator"


_OPERATORS_ONLY: Final = "This needs the group operator; yours is viewer."
READING: Final = frozenset({"GET", "HEAD"})
"""Methods that only read. Every other method needs an operator, on all routes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """``person`` is a name for timelines and logs, ``subject`` an id without personal data."""

    person: str
    subject: str
    roles: frozenset[Role]
    narrowed: Mapping[Role, frozenset[str]] = field(default_factory=dict)
    """Roles that are limited to some connections, with these connections."""

    @property
    def is_operator(self) -> bool:
        """Whether the caller is an operator of all or of some connections."""
        return Role.OPERATOR in self.roles


def caller_of(event: Mapping[str, Any]) -> Caller:
    """The caller, from the API's authorizer (or from an IAM principal that may invoke the
    function).

    :raises Problem: 401 without claims, 403 without a group
    """
    authorizer = event.get("requestContext", {}).get("authorizer") or {}
    claims = (authorizer.get("jwt") or {}).get("claims") or {}
    subject = claims.get("sub")
    if not subject:
        raise Problem(401, "Sign in: this needs a token of the user pool.")
    token = (event.get("headers") or {}).get("authorization")
    named = _groups(claims.get("cognito:groups", ()), token=token)
    narrowed = {role: _narrowed_to(role, named) for role in Role if role not in named}
    narrowed = {role: names for role, names in narrowed.items() if names}
    roles = frozenset(role for role in Role if role in named or role in narrowed)
    if not roles:
        raise Problem(403, "You are in neither of the groups viewer and operator: ask for one.")
    person = claims.get("username") or claims.get("cognito:username") or claims.get("email")
    return Caller(
        person=str(person or subject), subject=str(subject), roles=roles, narrowed=narrowed
    )


def allowed_connections(caller: Caller, method: str) -> frozenset[str] | None:
    """The connections whose data a request may read or change; None for every connection.

    Reading is allowed for the connections of all the caller's roles, changing for those they
    operate.
    """
    counted = caller.roles if method in READING else caller.roles & {Role.OPERATOR}
    if any(role not in caller.narrowed for role in counted):
        return None
    return frozenset().union(*(caller.narrowed[role] for role in counted))


def _narrowed_to(role: Role, groups: frozenset[str]) -> frozenset[str]:
    start = f"{role}:"
    names = (one.removeprefix(start) for one in groups if one.startswith(start))
    return frozenset(name for name in names if name)


def check_method(caller: Caller, method: str) -> None:
    """Refuse requests of viewers that change something; this also covers routes that are added
    later.

    :raises Problem: 403
    """
    if method not in READING and not caller.is_operator:
        raise Problem(403, _OPERATORS_ONLY)


def check_operator(caller: Caller, *, connection: str | None = None) -> None:
    """Refuse callers who aren't operators.

    :param connection: the connection that the data belongs to; None if it belongs to none
    :raises Problem: 403
    """
    if not caller.is_operator:
        raise Problem(403, _OPERATORS_ONLY)
    allowed = caller.narrowed.get(Role.OPERATOR)
    if allowed is not None and connection not in allowed:
        raise Problem(
            403, "This needs the group operator for all connections; yours is limited to some."
        )


def _groups(claim: object, *, token: object) -> frozenset[str]:
    """The exact names of the groups.

    An HTTP API passes a list in a token as text, with its items in brackets and separated by
    spaces, so ``["a b"]`` and ``["a", "b"]`` look the same. The token itself is unambiguous: the
    authorizer has verified it, and the text shows that it is the same token. Group names of Cognito
    have no spaces (API reference, CreateGroup), so without the token the text is split at spaces.
    """
    if isinstance(claim, list | tuple):
        return frozenset(one for one in claim if isinstance(one, str))
    if not isinstance(claim, str):
        return frozenset()
    if token:
        listed = _listed_in(token)
        return frozenset(listed if claim == _as_text(listed) else ())
    is_list = claim.startswith("[") and claim.endswith("]") and len(claim) > 1
    return frozenset(claim[1:-1].split(" ") if is_list else [claim])


def _as_text(listed: list[str]) -> str:
    return f"[{' '.join(listed)}]"


def _listed_in(token: object) -> list[str]:
    """The groups in a token whose signature is already verified; empty if it can't be read."""
    parts = _SCHEME.sub("", token).strip().split(".") if isinstance(token, str) else []
    if len(parts) != 3:
        return []
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        said = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return []
    listed = said.get("cognito:groups") if isinstance(said, dict) else None
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        return []
    return listed
