"""Requests of operators to orders_api, and the fixtures that make them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from aws_lambda_powertools import Logger

from milepost.api.app import build_api
from milepost.connections.poll_request import PollRequest
from tests.builders import (
    NOON,
    OFFERGRID,
)
from tests.integration.operator_requests import http_event
from tests.stack import Context

HOME = OFFERGRID.id


MAIL = {"email": "sales@example.org", "kinds": ["rejected"]}


ENDPOINT = {"url": "https://hooks.example.org/orders", "owner": "it@example.org"}


@dataclass
class Answer:
    status: int
    body: Any


Ask = Callable[..., Answer]


class Polls:
    """Implements ``services.Polls``: records the started polls."""

    def __init__(self) -> None:
        self.started: list[tuple[str, PollRequest]] = []

    def start(self, connection_id: str, request: PollRequest) -> None:
        self.started.append((connection_id, request))


def asking(app: ModuleType, polls: Any) -> Ask:
    known = app.api.services
    operations = replace(known.operations, polls=polls)
    services = replace(known, open_operations=lambda: operations, clock=lambda: NOON)
    api = build_api(services, log=Logger("test-operations"))

    def ask(
        method: str,
        path: str,
        body: Any = None,
        *,
        role: str = "operator",
        key: str | None = None,
        **query: Any,
    ) -> Answer:
        event = http_event(method, path, body, role=role, query=query)
        if key is not None:
            event["headers"]["idempotency-key"] = key
        answer = api.answer(event, Context())
        text = answer.get("body")
        return Answer(answer["statusCode"], json.loads(text) if text else None)

    return ask
