"""Sessions: who is signed in, how long a session lasts, and what it stores.

The browser has only the session's id; the table has a hash of the id, so that nobody who reads the
table can use a session. The refresh token is encrypted.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from milepost.api.auth import Caller, caller_of

LONGEST_SESSION: Final = timedelta(hours=12)
RENEWED_AFTER: Final = timedelta(minutes=15)
"""How long a session is valid before the person is checked with the user pool again."""
RENEWED_AT_LATEST: Final = timedelta(hours=1)
"""How long it stays valid while the user pool is unavailable."""
LONGEST_SIGN_IN: Final = timedelta(minutes=15)
"""How long somebody may take to enter name and password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The signed-in person, from the user pool."""

    subject: str
    name: str
    groups: tuple[str, ...]

    @property
    def claims(self) -> dict[str, Any]:
        """The person in the form of a token's claims."""
        return {
            "sub": self.subject,
            "cognito:username": self.name,
            "cognito:groups": list(self.groups),
        }

    def caller(self) -> Caller:
        """:raises Problem: 403 if they are in no group with a role"""
        return caller_of({"requestContext": {"authorizer": {"jwt": {"claims": self.claims}}}})


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One person in one browser."""

    id: str
    person: Person
    began_at: datetime
    renewed_at: datetime
    sealed_token: str
    """The refresh token, encrypted."""

    @property
    def ends_at(self) -> datetime:
        return self.began_at + LONGEST_SESSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A sign-in that has begun, and the values that have to be returned with it."""

    id: str
    state: str
    nonce: str
    verifier: str
    to: str
    """Where the person wanted to go."""
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The user pool's response to a code or a refresh token."""

    claims: Mapping[str, Any]
    """Of the ID token, which came from the pool itself by TLS."""
    refresh_token: str | None


class Refused(Exception):
    """A code or a token is not valid: used, revoked, unreadable, or of a disabled person."""


class PoolDown(Exception):
    """The user pool is unavailable."""


class Sessions(Protocol):
    """Stores sessions and sign-ins by the hash of their id."""

    def put(self, session: Session) -> None: ...
    def get(self, session_id: str) -> Session | None: ...
    def renew(self, session: Session) -> None:
        """Store a renewed session, unless it has ended in the meantime."""
        ...

    def end(self, session_id: str) -> None: ...
    def begin(self, attempt: Attempt) -> None: ...
    def take(self, attempt_id: str) -> Attempt | None:
        """The sign-in with this id; it can be read only once."""
        ...


class Pool(Protocol):
    """The user pool, through the pages and endpoints of its domain."""

    def sign_in_address(self, attempt: Attempt) -> str: ...
    def sign_out_address(self) -> str: ...
    def exchange(self, code: str, *, verifier: str) -> Tokens:
        """:raises Refused: when the code does not count
        :raises PoolDown: when nobody answers"""
        ...

    def renew(self, refresh_token: str) -> Tokens:
        """:raises Refused: when the token does not count any more
        :raises PoolDown: when nobody answers"""
        ...

    def revoke(self, refresh_token: str) -> None:
        """:raises PoolDown: if the pool does not respond"""
        ...


class Sealing(Protocol):
    """Encrypts tokens, each for one session."""

    def seal(self, token: str, *, session_id: str) -> str: ...
    def unseal(self, sealed: str, *, session_id: str) -> str:
        """:raises Refused: if ``seal`` did not create it for this session"""
        ...


def new_id() -> str:
    """256 random bits, as text."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """The hash of a secret id, by which it is found in the table."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def person_of(claims: Mapping[str, Any]) -> Person:
    """The person that an ID token names."""
    groups: Sequence[object] = claims.get("cognito:groups") or ()
    subject = str(claims["sub"])
    return Person(
        subject=subject,
        name=str(claims.get("cognito:username") or claims.get("email") or subject),
        groups=tuple(one for one in groups if isinstance(one, str)),
    )
