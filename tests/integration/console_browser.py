"""A browser with a signed-in operator, at the console's function."""

import base64
import gzip
import html
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, Final
from urllib.parse import urlencode

from milepost.console.aws.sessions import SessionsTable
from milepost.console.csrf import form_token
from milepost.console.sessions import Person, Session
from tests.stack import Context, Stack, aws

ORIGIN: Final = "https://orders.example.org"
_SESSION: Final = "a session's id"
_ADDRESSES: Final = (
    f'{{"url":"{ORIGIN}/console","login":"https://login.example.org","client":"c-1"}}'
)


@dataclass(frozen=True)
class Shown:
    """The function's response."""

    status: int
    text: str
    location: str
    content_type: str

    def hidden(self, name: str) -> str:
        """The value of a hidden field of its forms."""
        found = re.search(f'name="{name}" value="([^"]*)"', self.text)
        assert found, f"no field {name}"
        return html.unescape(found[1])


@dataclass
class OperatorsBrowser:
    """A user of the console."""

    app: ModuleType

    def get(self, address: str, **headers: str) -> Shown:
        return self._ask("GET", address, headers=headers)

    def post(self, address: str, **form: Any) -> Shown:
        """Send a form, like a page of this session."""
        return self._ask("POST", address, form=form)

    def _ask(
        self, method: str, address: str, *, form: Any = None, headers: dict[str, str] | None = None
    ) -> Shown:
        path, _, query = address.partition("?")
        of_form = {"origin": ORIGIN, "content-type": "application/x-www-form-urlencoded"}
        event: dict[str, Any] = {
            "rawPath": path,
            "rawQueryString": query,
            "headers": {**of_form, **(headers or {})},
            "cookies": [f"__Host-milepost={_SESSION}"],
            "requestContext": {"http": {"method": method, "path": path}},
        }
        if form is not None:
            event["body"] = urlencode({**form, "csrf": form_token(_SESSION)}, doseq=True)
        answer = self.app.handler(event, Context())
        body = answer["body"]
        if answer["isBase64Encoded"]:
            raw = base64.b64decode(body)
            is_packed = answer["headers"].get("content-encoding") == "gzip"
            body = (gzip.decompress(raw) if is_packed else raw).decode()
        said = answer["headers"]
        return Shown(answer["statusCode"], body, said.get("location", ""), said["content-type"])


def open_console(stack: Stack) -> OperatorsBrowser:
    """The function, and a session of an operator."""
    name = stack.environment("console")["CONSOLE_SETTINGS"]
    aws("ssm").put_parameter(Name=name, Value=_ADDRESSES, Type="String", Overwrite=True)
    stack.put_public_url(ORIGIN)
    now = datetime.now(UTC)
    person = Person(subject="5b1f", name="kim", groups=("operator",))
    table = SessionsTable(aws("dynamodb"), table_name=stack.resources["SessionsTable"])
    table.put(
        Session(id=_SESSION, person=person, began_at=now, renewed_at=now, sealed_token="sealed")
    )
    return OperatorsBrowser(stack.load("console"))
