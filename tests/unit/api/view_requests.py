"""Requests that store views, by several people."""

import json
from typing import Any

from tests.unit.api.conftest import Desk, http_event, read_answer


def put(desk: Desk, view: str, body: Any, *, subject: str = "5f0c-sub") -> Any:
    event = http_event("PUT", f"/views/{view}", role="operator")
    event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = subject
    event["body"] = json.dumps(body)
    return read_answer(desk.api.answer(event, None))
