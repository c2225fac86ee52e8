"""console: each page for somebody with a session, and how sessions go on and end."""

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from milepost.aws.botocore_clients import open_session
from milepost.common.status import Status
from milepost.console.aws.sessions import SessionsTable
from milepost.console.csrf import form_token
from milepost.console.sessions import Person, Session
from milepost.console.sign_in import SESSION_COOKIE
from milepost.console.token_encryption import SessionSealing
from milepost.orders.aws.table import OrdersTable
from tests.builders import OFFERGRID, report, tracked
from tests.stack import Context, Stack, aws

pytestmark = pytest.mark.thorough

URL = "https://orders.example.org/console"
ISSUER = "https://cognito-idp.eu-central-1.amazonaws.com/pool"
PAGES = (
    ("/console", 200),
    ("/console/orders", 200),
    ("/console/orders?q=ord-1", 200),
    ("/console/views", 200),
    ("/console/connections", 200),
    ("/console/notices", 200),
    ("/console/notices/suppressions", 200),
    ("/console/operations", 200),
    ("/console/operations/quarantine", 200),
    ("/console/customers", 200),
    ("/console/subscriptions", 200),
    ("/console/subscriptions/new", 200),
    ("/console/subscriptions/preview", 200),
    ("/console/figures", 200),
    ("/console/figures/causes", 200),
    ("/console/figures/scorecards", 200),
    ("/console/figures/scorecards/download", 200),
    ("/console/figures/download", 200),
    ("/console/figures/causes/download", 200),
    ("/console/figures/commissions/download", 200),
    ("/console/batches", 200),
    ("/console/exports", 200),
    ("/console/exports/new", 200),
    ("/console/figures/commissions", 200),
    ("/console/activity", 200),
)
"""Every page, and what it answers: a page that is added is a line here."""


CLIENT = "client-1"


def _answer_for_the_pool(model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
    """The user pool's answers: moto's user pools need a library that nothing else here needs."""
    answers = {"DescribeUserPoolClient": {"UserPoolClient": {"ClientSecret": "a secret"}}}
    return SimpleNamespace(status_code=200), answers.get(model.name, {})


_session: Any = open_session()
_session.register("before-call.cognito-identity-provider.*", _answer_for_the_pool)


@dataclass
class Desk:
    """Somebody at the function, and the session that they have."""

    app: ModuleType
    stack: Stack
    sessions: SessionsTable
    sealing: SessionSealing

    def begin(self, *, renewed: timedelta = timedelta()) -> Session:
        now = datetime.now(UTC)
        session = Session(
            id="session-1",
            person=Person(subject="5f0c-sub", name="lena", groups=("operator",)),
            began_at=now - timedelta(hours=1),
            renewed_at=now - renewed,
            sealed_token=self.sealing.seal("refresh-1", session_id="session-1"),
        )
        self.sessions.put(session)
        return session

    def ask(self, method: str, address: str, **form: str) -> Any:
        path, _, query = address.partition("?")
        body = "&".join(f"{name}={value}" for name, value in form.items())
        event = {
            "rawPath": path,
            "rawQueryString": query,
            "cookies": [f"{SESSION_COOKIE}=session-1"],
            "headers": {
                "origin": "https://orders.example.org",
                "content-type": "application/x-www-form-urlencoded",
            },
            "body": body or None,
            "requestContext": {"requestId": "r-1", "http": {"method": method, "path": path}},
        }
        return self.app.handler(event, Context())


@pytest.fixture
def login() -> Iterator[dict[str, Any]]:
    """The user pool's token endpoint: the claims that it gives."""
    claims: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
            said = json.dumps(
                {"id_token": f"head.{body}.sig", "refresh_token": "refresh-2"}
            ).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield claims | {"url": f"http://127.0.0.1:{server.server_port}", "claims": claims}
    server.shutdown()
    server.server_close()


@pytest.fixture
def desk(stack: Stack, login: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Desk:
    addresses = {"url": URL, "login": login["url"], "client": CLIENT}
    aws("ssm").put_parameter(Name="/milepost/console", Value=json.dumps(addresses), Type="String")
    login["claims"].update(
        {
            "iss": ISSUER,
            "aud": CLIENT,
            "token_use": "id",
            "exp": int((datetime.now(UTC) + timedelta(hours=1)).timestamp()),
            "sub": "5f0c-sub",
            "cognito:username": "lena",
            "cognito:groups": ["operator"],
        }
    )
    stack.keep_secret("UnsubscribeSecret", {"key": "one of these tests' own"})
    environment = stack.environment

    def with_the_rest(function: str) -> dict[str, str]:
        own = {"PEOPLE_ISSUER": ISSUER}
        return environment(function) | own | {"CONSOLE_SETTINGS": "/milepost/console"}

    monkeypatch.setattr(stack, "environment", with_the_rest)
    order = tracked(report(Status.ACCEPTED, 1))
    orders = OrdersTable(
        aws("dynamodb"), table_name=stack.resources["OrdersTable"], connection=OFFERGRID
    )
    orders.write(order, new=())
    return Desk(
        app=stack.load("console"),
        stack=stack,
        sessions=SessionsTable(aws("dynamodb"), table_name=stack.resources["SessionsTable"]),
        sealing=SessionSealing(),
    )


@pytest.mark.parametrize(("address", "status"), PAGES)
def test_each_page_is_shown(address: str, status: int, desk: Desk) -> None:
    desk.begin()
    answer = desk.ask("GET", address)
    assert answer["statusCode"] == status, answer["body"]


def test_a_session_is_renewed_at_the_user_pool_and_ends_by_signing_out(desk: Desk) -> None:
    session = desk.begin(renewed=timedelta(minutes=16))
    assert desk.ask("GET", "/console/orders")["statusCode"] == 200
    renewed = desk.sessions.get(session.id)
    assert renewed is not None
    assert renewed.renewed_at > session.renewed_at

    out = desk.ask("POST", "/console/sign-out", csrf=form_token(session.id))
    assert out["statusCode"] == 303
    assert desk.sessions.get(session.id) is None
    assert desk.ask("GET", "/console/orders")["headers"]["location"].startswith("/console/sign-in")


def test_a_session_begins_with_the_code_of_the_user_pool(desk: Desk, login: dict[str, Any]) -> None:
    begun = desk.ask("GET", "/console/sign-in")
    asked = dict(parse_qsl(urlsplit(begun["headers"]["location"]).query))
    login["claims"]["nonce"] = asked["nonce"]
    attempt = begun["cookies"][0].split(";")[0]
    event = {
        "rawPath": "/console/signed-in",
        "rawQueryString": f"code=good&state={asked['state']}",
        "cookies": [attempt],
        "headers": {},
        "requestContext": {"http": {"method": "GET", "path": "/console/signed-in"}},
    }
    answer = desk.app.handler(event, Context())
    assert answer["statusCode"] == 303, answer["body"]
    assert any(one.startswith(SESSION_COOKIE) for one in answer["cookies"])
