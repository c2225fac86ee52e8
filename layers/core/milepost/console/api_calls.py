"""Changes: requests to the API in the same process, with its checks, roles and activity log."""

import json
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from milepost.api.app import Api
from milepost.api.problems import Fault, Problem
from milepost.console.request import Request
from milepost.console.sessions import Person

_REFUSED: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The changes that one person makes with one request."""

    api: Api
    person: Person
    request: Request

    def make(self, method: str, path: str, *, body: Any = None, key: str = "") -> Any:
        """Make a change by the API; returns its response.

        :param path: as clients write it, ids quoted by ``rendering.segment``
        :param key: the idempotency key, such as that of the form

        :raises Problem: as the API raises it
        """
        event = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {"content-type": "application/json", "idempotency-key": key or uuid4().hex},
            "requestContext": {
                "requestId": self.request.request_id,
                "http": {"method": method, "path": path, "sourceIp": self.request.source_ip},
                "authorizer": {"jwt": {"claims": self.person.claims}},
            },
            "isBase64Encoded": False,
        }
        if body is not None:
            event["body"] = json.dumps(body)
        answer = self.api.answer(event, None)
        said = json.loads(answer.get("body") or "null")
        if answer["statusCode"] >= _REFUSED:
            faults = [Fault(**one) for one in said.get("errors") or ()]
            raise Problem(answer["statusCode"], said["detail"], errors=faults)
        return said
