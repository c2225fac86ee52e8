"""Requests of operators, as the gateway passes them to orders_api, and immediate responses."""

import json
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

from milepost.operations.aws.dead_letters import SqsLetters


def http_event(
    method: str, path: str, body: Any, *, role: str, query: dict[str, Any]
) -> dict[str, Any]:
    """An event of the HTTP API (payload format 2.0)."""
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": urlencode(query),
        "queryStringParameters": {name: str(value) for name, value in query.items()},
        "headers": {"content-type": "application/json"},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
        "requestContext": {
            "requestId": "req-1",
            "stage": "$default",
            "http": {"method": method, "path": path},
            "authorizer": {
                "jwt": {"claims": {"sub": "s", "username": "lena", "cognito:groups": f"[{role}]"}}
            },
        },
    }


def hurry(app: ModuleType) -> None:
    """Don't wait for messages, since moto returns all of them at once."""
    for one in app.api.services.operations.dead_letters:
        assert isinstance(one.letters, SqsLetters)
        one.letters._wait_seconds = 0
