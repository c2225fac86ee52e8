"""Signing in and out: authorization code with PKCE, state and nonce.

Sources: RFC 7636 (PKCE), RFC 9700 (best current practice), OpenID Connect Core 1.0 section 3.1.3.7;
Amazon Cognito, "The redirect and authorization endpoint", "The token issuer endpoint", "The managed
login sign-out endpoint".
"""

import hmac
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from milepost.api.problems import Problem
from milepost.console.cookies import secure_cookie
from milepost.console.request import Request
from milepost.console.responses import Answer, go_to
from milepost.console.sessions import (
    LONGEST_SESSION,
    LONGEST_SIGN_IN,
    RENEWED_AFTER,
    RENEWED_AT_LATEST,
    Attempt,
    Pool,
    PoolDown,
    Refused,
    Sealing,
    Session,
    Sessions,
    Tokens,
    new_id,
    person_of,
)

START: Final = "/console"
SESSION_COOKIE: Final = "__Host-milepost"
ATTEMPT_COOKIE: Final = "__Host-milepost-sign-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """Signs people in and out. ``issuer`` is the user pool's, as in its tokens."""

    sessions: Sessions
    pool: Pool
    sealing: Sealing
    issuer: str
    client_id: Callable[[], str]
    clock: Callable[[], datetime]

    def begin(self, request: Request) -> Answer:
        """Redirect to the pool's sign-in page, and from there to the requested page."""
        attempt = Attempt(
            id=new_id(),
            state=new_id(),
            nonce=new_id(),
            verifier=new_id(),
            to=own_address(request.query.one("to")),
            expires_at=self.clock() + LONGEST_SIGN_IN,
        )
        self.sessions.begin(attempt)
        seconds = round(LONGEST_SIGN_IN.total_seconds())
        cookie = secure_cookie(ATTEMPT_COOKIE, attempt.id, seconds=seconds)
        return go_to(self.pool.sign_in_address(attempt)).with_cookie(cookie)

    def finish(self, request: Request) -> Answer:
        """Handle the return from the pool: create a session.

        :raises Problem: 400 when it is no answer to what this browser began, 403 without a group
        """
        attempt = self._attempt_of(request)
        try:
            tokens = self.pool.exchange(request.query.one("code"), verifier=attempt.verifier)
        except Refused:
            raise Problem(400, "The sign-in did not succeed. Sign in again.") from None
        self._check(tokens.claims, nonce=attempt.nonce)
        session = self._new_session(tokens)
        seconds = round(LONGEST_SESSION.total_seconds())
        return (
            go_to(attempt.to)
            .with_cookie(secure_cookie(SESSION_COOKIE, session.id, seconds=seconds))
            .with_cookie(secure_cookie(ATTEMPT_COOKIE, "", seconds=0))
        )

    def _attempt_of(self, request: Request) -> Attempt:
        """:raises Problem: 400"""
        held = request.cookies.get(ATTEMPT_COOKIE)
        attempt = self.sessions.take(held) if held else None
        state = request.query.one("state")
        if (
            attempt is None
            or attempt.expires_at <= self.clock()
            or not hmac.compare_digest(state.encode(), attempt.state.encode())
            or not request.query.one("code")
        ):
            raise Problem(
                400,
                ("This sign-in was started in another browser, or too long ago. Sign in again."),
            )
        return attempt

    def _check(self, claims: Mapping[str, Any], *, nonce: str | None) -> None:
        """:raises Problem: 400 when the token is not valid for this app client, sign-in and time"""
        is_ours = (
            claims.get("iss") == self.issuer
            and claims.get("aud") == self.client_id()
            and claims.get("token_use") == "id"
            and isinstance(claims.get("exp"), int)
            and claims["exp"] > self.clock().timestamp()
            and (nonce is None or claims.get("nonce") == nonce)
        )
        if not is_ours:
            raise Problem(400, "The sign-in did not succeed. Sign in again.")

    def _new_session(self, tokens: Tokens) -> Session:
        """:raises Problem: 403 when the person is in no group; their token is revoked"""
        person, token = person_of(tokens.claims), tokens.refresh_token or ""
        try:
            person.caller()
        except Problem:
            with suppress(PoolDown):
                self.pool.revoke(token)
            raise
        session_id, now = new_id(), self.clock()
        session = Session(
            id=session_id,
            person=person,
            began_at=now,
            renewed_at=now,
            sealed_token=self.sealing.seal(token, session_id=session_id),
        )
        self.sessions.put(session)
        return session

    def session_of(self, request: Request) -> Session | None:
        """The session of the request; None if nobody is signed in any more."""
        held = request.cookies.get(SESSION_COOKIE)
        session = self.sessions.get(held) if held else None
        if session is None or session.ends_at <= self.clock():
            return None
        if self.clock() < session.renewed_at + RENEWED_AFTER:
            return session
        return self._renewed(session)

    def _renewed(self, session: Session) -> Session | None:
        """The session with the person's current data in the pool; None if the pool has ended it.

        :raises PoolDown: when the pool has been unavailable for too long
        """
        try:
            token = self.sealing.unseal(session.sealed_token, session_id=session.id)
            tokens = self.pool.renew(token)
            self._check(tokens.claims, nonce=None)
            person = person_of(tokens.claims)
            person.caller()
        except PoolDown:
            if self.clock() < session.renewed_at + RENEWED_AT_LATEST:
                return session
            raise
        except (Refused, Problem):
            self.sessions.end(session.id)
            return None
        renewed = replace(session, person=person, renewed_at=self.clock())
        self.sessions.renew(renewed)
        return renewed

    def end(self, session: Session) -> Answer:
        """Sign out of the console and of the pool; otherwise its pages would sign in again without
        asking."""
        self.sessions.end(session.id)
        with suppress(PoolDown, Refused):
            token = self.sealing.unseal(session.sealed_token, session_id=session.id)
            self.pool.revoke(token)
        cookie = secure_cookie(SESSION_COOKIE, "", seconds=0)
        return go_to(self.pool.sign_out_address()).with_cookie(cookie)


def own_address(text: str) -> str:
    """This address if it belongs to the console, otherwise the console's first page."""
    is_own = text == START or text.startswith((f"{START}/", f"{START}?"))
    is_plain = text.isprintable() and "\\" not in text and "//" not in text.partition("?")[0]
    return text if is_own and is_plain else START
