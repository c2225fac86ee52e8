"""Events of functions that people or schedules invoke: the API, and scheduled functions."""

import json
from collections.abc import Iterator
from typing import Any, Final

from tests.builders import KEY

_CLAIMS: Final = {
    "sub": "5f0c1c9e-0d57-4a6e-8f0e-0b8b4e6f2a11",
    "username": "lena",
    "cognito:groups": "[operator]",
}
_SCHEDULED: Final = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-03-02T10:30:00Z",
    "region": "eu-central-1",
    "resources": ["arn:aws:events:eu-central-1:123456789012:rule/milepost-dev-schedule"],
    "detail": {},
}


def api_events() -> Iterator[tuple[str, Any]]:
    """Requests to the orders API by an operator."""
    order = f"/orders/{KEY.path_id}"
    yield "orders_api/openapi", _request("GET", "/openapi.json")
    yield "orders_api/list_overdue_orders", _request("GET", "/orders", due="overdue")
    yield "orders_api/show_order", _request("GET", order)
    yield "orders_api/show_causes", _request("GET", "/causes")
    note = {"text": "Called the customer"}
    yield "orders_api/note_an_order", _request("POST", f"{order}/actions/note", note)
    yield "orders_api/unknown_order", _request("GET", "/orders/nobody:knows:this")


def console_events() -> Iterator[tuple[str, Any]]:
    """Requests of a browser without a session."""
    yield "console/orders", _request("GET", "/console/orders")


def scheduled_events() -> Iterator[tuple[str, Any]]:
    """The events of EventBridge's schedules every minute or quarter of an hour, and the same at a
    later time.
    """
    for function in ("watch_deadlines", "release_notices", "finish_erasures"):
        yield f"{function}/scheduled", _SCHEDULED
    later = "2026-04-02T10:30:00Z"
    yield "watch_deadlines/as_of_a_month_later", {"now": later}
    yield "finish_erasures/as_of_a_month_later", {"now": later}
    yield "release_notices/until_a_month_later", {"until": later}


def _request(method: str, path: str, body: Any = None, **query: str) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "&".join(f"{name}={value}" for name, value in query.items()),
        "queryStringParameters": query,
        "headers": {"content-type": "application/json", "idempotency-key": "an-event-of-this-file"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "authorizer": {"jwt": {"claims": _CLAIMS, "scopes": None}},
            "domainName": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "curl/8.5.0",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "02/Mar/2026:10:30:00 +0000",
            "timeEpoch": 1772447400000,
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }
