"""Every call to AWS that is made, what it touches, and what is to happen around it.

Reads that may be stale are answered, while that is wanted, from an earlier version of the tables.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from botocore.client import BaseClient
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from urllib3.connection import HTTPConnection

from tests.integration.interleaving.accessed_items import Touch, of_provider, touches_of

Versions = Mapping[str, Any]
"""The items of each table at some moment."""
Around = Callable[[str, list[Touch]], None]


@dataclass
class Mail:
    """A mail that the mail service took."""

    tag: str
    to: str


@dataclass
class Seen:
    """What left the account, and what was written to the orders: nobody can take it back."""

    mails: list[Mail] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    invoked: list[bytes] = field(default_factory=list)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, URL and the id under which it was made, to others than AWS."""
    order_writes: list[str] = field(default_factory=list)
    """Partitions of OrdersTable, in the order in which they were written."""


class Calls:
    """Notes calls, and lets others do something before and after each."""

    def __init__(self) -> None:
        self.seen = Seen()
        self.before: Around | None = None
        self.after: Around | None = None
        self.spoken: list[Touch] = []
        """What was touched elsewhere since the last call."""
        self.written: Callable[[Mapping[str, Any]], None] = lambda _: None
        self.stale_from: Versions | None = None
        """From which versions reads are answered that may be stale."""

    def be_left_alone(self) -> None:
        """Nothing happens around calls any more, and nothing is stale."""
        self.before = self.after = self.stale_from = None

    def install(self, patched: pytest.MonkeyPatch) -> None:
        send, ask = BaseClient._make_api_call, HTTPConnection.request

        def call(client: Any, operation: str, parameters: Any) -> Any:
            return self._call(send, client, operation, dict(parameters or {}))

        def ask_others(connection: Any, method: str, url: str, *more: Any, **named: Any) -> None:
            headers = {k.lower(): v for k, v in (named.get("headers") or {}).items()}
            made_under = headers.get("webhook-id") or headers.get("idempotency-key") or ""
            self.seen.requests.append((method, f"{connection.host}{url}", str(made_under)))
            self.spoken.append(of_provider(method, url))
            ask(connection, method, url, *more, **named)

        patched.setattr(BaseClient, "_make_api_call", call)
        patched.setattr(HTTPConnection, "request", ask_others)

    def _call(self, send: Any, client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        touches = touches_of(client.meta.service_model.service_name, operation, parameters)
        if self.before is not None:
            self.before(operation, touches)
        self.spoken.clear()
        if operation == "Invoke":
            # There are no functions in moto: whoever goes on runs it.
            self.seen.invoked.append(parameters["Payload"])
            answer: Any = {"StatusCode": 202}
        elif self.stale_from is not None and any(one.may_be_stale for one in touches):
            with _answering_from(self.stale_from):
                answer = send(client, operation, parameters)
        else:
            answer = send(client, operation, parameters)
        self._note(operation, parameters)
        if self.after is not None:
            self.after(operation, touches)
        return answer

    def _note(self, operation: str, parameters: Mapping[str, Any]) -> None:
        match operation, parameters:
            case "SendEmail", {"EmailTags": tags, "Destination": to}:
                (tag,) = [one["Value"] for one in tags if one["Name"] == "mail"] or [""]
                self.seen.mails.append(Mail(tag, *to["ToAddresses"]))
            case "SendEmail", {"Destination": to}:
                self.seen.mails.append(Mail("", *to["ToAddresses"]))
            case "Publish", {"MessageAttributes": _, "Message": message}:
                self.seen.published.append(message)
            case (("PutItem" | "UpdateItem" | "DeleteItem" | "TransactWriteItems"), _):
                self.written(parameters)


def tables() -> dict[str, Any]:
    """moto's tables."""
    found: dict[str, Any] = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables
    return found


REGION: Final = "eu-central-1"


def versions() -> Versions:
    """Every item as it is now."""
    return {name: copy.deepcopy(table.items) for name, table in tables().items()}


@contextmanager
def _answering_from(earlier: Versions) -> Iterator[None]:
    now = {name: table.items for name, table in tables().items()}
    for name, table in tables().items():
        table.items = copy.deepcopy(earlier[name]) if name in earlier else table.items
    try:
        yield
    finally:
        for name, table in tables().items():
            table.items = now[name]
