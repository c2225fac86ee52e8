"""The console on fakes, and a browser that stores its cookies."""

import base64
import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from aws_lambda_powertools import Logger

from milepost.console.app import Console
from milepost.console.sessions import Attempt, PoolDown, Refused, Session, Tokens
from milepost.console.settings import Addresses
from milepost.console.sign_in import SignIn
from milepost.console.token_encryption import SessionSealing
from milepost.notifications.chat.rendering import ChatRenderer
from milepost.notifications.mail.rendering.renderer import MailRenderer
from tests.builders import NOON
from tests.unit.api.conftest import Desk

URL = "https://orders.example.org/console"
LOGIN = "https://login.example.org"
ISSUER = "https://cognito-idp.eu-central-1.amazonaws.com/pool"


@dataclass
class MemorySessions:
    kept: dict[str, Session] = field(default_factory=dict)
    attempts: dict[str, Attempt] = field(default_factory=dict)

    def put(self, session: Session) -> None:
        self.kept[session.id] = session

    def get(self, session_id: str) -> Session | None:
        return self.kept.get(session_id)

    def renew(self, session: Session) -> None:
        if session.id in self.kept:
            self.kept[session.id] = session

    def end(self, session_id: str) -> None:
        self.kept.pop(session_id, None)

    def begin(self, attempt: Attempt) -> None:
        self.attempts[attempt.id] = attempt

    def take(self, attempt_id: str) -> Attempt | None:
        return self.attempts.pop(attempt_id, None)


@dataclass
class Pool:
    """A user pool with one user, who returns with the code ``good``."""

    groups: Sequence[str] = ("viewer",)
    is_down: bool = False
    is_disabled: bool = False
    nonce: str = ""
    revoked: list[str] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)

    def sign_in_address(self, attempt: Attempt) -> str:
        self.nonce = attempt.nonce
        return f"{LOGIN}/oauth2/authorize?{urlencode({'state': attempt.state})}"

    def sign_out_address(self) -> str:
        return f"{LOGIN}/logout"

    def exchange(self, code: str, *, verifier: str) -> Tokens:
        if code != "good":
            raise Refused("no such code")
        return Tokens(claims=self.claims(), refresh_token="refresh-1")

    def renew(self, refresh_token: str) -> Tokens:
        if self.is_down:
            raise PoolDown("nobody answers")
        if self.is_disabled or refresh_token != "refresh-1":
            raise Refused("the person is disabled")
        return Tokens(claims=self.claims(), refresh_token=None)

    def revoke(self, refresh_token: str) -> None:
        self.revoked.append(refresh_token)

    def claims(self) -> dict[str, Any]:
        usual = {
            "iss": ISSUER,
            "aud": "client-1",
            "token_use": "id",
            "exp": int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()),
            "nonce": self.nonce,
            "sub": "5f0c-sub",
            "cognito:username": "lena",
            "cognito:groups": list(self.groups),
        }
        return usual | self.changes


class Known:
    def addresses(self) -> Addresses:
        return Addresses(url=URL, login=LOGIN, client="client-1")


@dataclass
class Shown:
    status: int
    headers: dict[str, str]
    cookies: list[str]
    text: str

    @property
    def location(self) -> str:
        return self.headers["location"]

    @property
    def token(self) -> str:
        """The CSRF token of its first form."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.text)
        assert found
        return found[1]


@dataclass
class Browser:
    """A user of the console."""

    desk: Desk = field(default_factory=Desk)
    sessions: MemorySessions = field(default_factory=MemorySessions)
    pool: Pool = field(default_factory=Pool)
    cookies: dict[str, str] = field(default_factory=dict)
    failures: int = 0

    def __post_init__(self) -> None:
        self.console = Console(
            sign_in=SignIn(
                sessions=self.sessions,
                pool=self.pool,
                sealing=SessionSealing(),
                issuer=ISSUER,
                client_id=lambda: "client-1",
                clock=lambda: self.desk.now,
            ),
            settings=Known(),
            services=self.desk.api.services,
            api=self.desk.api,
            log=Logger("test-console"),
            is_outage=lambda _error: self.desk.is_down,
            failed=self._count,
            open_renderer=lambda connections: MailRenderer(connections, clock=lambda: NOON),
            open_chat_renderer=lambda connections: ChatRenderer(
                connections=connections, clock=lambda: NOON
            ),
        )

    def _count(self) -> None:
        self.failures += 1

    def get(self, address: str, **headers: str) -> Shown:
        return self._ask("GET", address, headers=headers)

    def post(
        self, address: str, *, origin: str = "https://orders.example.org", **form: Any
    ) -> Shown:
        return self._ask("POST", address, headers={"origin": origin}, form=form)

    def sign_in(self, *groups: str, to: str = "/console") -> Shown:
        """Sign in through the pool's page."""
        self.pool.groups = groups or ("viewer",)
        begun = self.get(f"/console/sign-in?{urlencode({'to': to})}")
        [state] = parse_qs(urlsplit(begun.location).query)["state"]
        return self.get(f"/console/signed-in?{urlencode({'code': 'good', 'state': state})}")

    def wait(self, **by: float) -> None:
        self.desk.now += timedelta(**by)

    def _ask(
        self, method: str, address: str, *, headers: dict[str, str], form: Any = None
    ) -> Shown:
        path, _, query = address.partition("?")
        event: dict[str, Any] = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": query,
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "cookies": [f"{name}={value}" for name, value in self.cookies.items()],
            "requestContext": {"requestId": "req-1", "http": {"method": method, "path": path}},
        }
        if form is not None:
            event["headers"]["content-type"] = "application/x-www-form-urlencoded"
            event["body"] = base64.b64encode(urlencode(form, doseq=True).encode()).decode()
            event["isBase64Encoded"] = True
        answer = self.console.answer(event)
        for cookie in answer["cookies"]:
            self._keep(cookie)
        body = answer["body"]
        if answer["isBase64Encoded"]:
            raw = base64.b64decode(body)
            is_gzip = answer["headers"].get("content-encoding") == "gzip"
            body = (gzip.decompress(raw) if is_gzip else raw).decode()
        return Shown(answer["statusCode"], answer["headers"], answer["cookies"], body)

    def _keep(self, cookie: str) -> None:
        for name, one in SimpleCookie(cookie).items():
            if one["max-age"] == "0":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = one.value


@pytest.fixture
def browser() -> Browser:
    return Browser()
