"""Problems: error responses by RFC 9457, ``application/problem+json``."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response
from pydantic import Field

from milepost.api import text_patterns
from milepost.api.json_model import Shape

CONTENT_TYPE: Final = "application/problem+json"

CODES: Final[Mapping[int, str]] = {
    400: "bad-request",
    401: "not-signed-in",
    403: "not-allowed",
    404: "not-found",
    405: "no-such-method",
    409: "conflict",
    413: "too-large",
    415: "not-json",
    422: "not-valid",
    429: "too-many-requests",
    500: "failed",
    502: "provider-failed",
    503: "unavailable",
}
"""The last part of a problem's ``type``, by status."""


class Fault(Shape):
    """One error in a request: its place, and what is wrong."""

    where: str = Field(examples=["query.limit"])
    what: str = Field(examples=["Input should be less than or equal to 100"])


class ProblemDetails(Shape):
    """Why a request failed."""

    type: str = Field(examples=["urn:milepost:problem:not-found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(description="What is wrong and what to do, for people.")
    errors: list[Fault] | None = Field(default=None, description="Each error in the request.")
    allowed: list[str] | None = Field(
        default=None, description="For a 409 of an action: the actions that the order allows now."
    )


class Problem(Exception):
    """A request that can't be fulfilled. It may be raised anywhere in a route.

    :param status: the status of the response, one of ``CODES``
    :param detail: what is wrong and what to do
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        allowed: Sequence[str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = list(errors)
        self.allowed = None if allowed is None else list(allowed)
        self.headers = dict(headers or {})


class NotFound(Problem):
    """The resource doesn't exist; the detail says which."""

    def __init__(self, detail: str) -> None:
        super().__init__(404, detail)


class Conflict(Problem):
    """The current state doesn't allow the request; the detail gives that state.

    :param allowed: what is allowed instead
    """

    def __init__(self, detail: str, *, allowed: Sequence[str] | None = None) -> None:
        super().__init__(409, detail, allowed=allowed)


def details_of(problem: Problem) -> dict[str, Any]:
    """The problem's JSON."""
    details = ProblemDetails(
        type=f"urn:milepost:problem:{CODES[problem.status]}",
        title=HTTPStatus(problem.status).phrase,
        status=problem.status,
        detail=problem.detail,
        errors=problem.errors or None,
        allowed=problem.allowed,
    )
    return details.model_dump(exclude_none=True)


def answer_to(problem: Problem) -> Response[str]:
    """The response for a problem."""
    return Response(
        status_code=problem.status,
        content_type=CONTENT_TYPE,
        body=json.dumps(details_of(problem)),
        headers={**problem.headers},
    )


def faults_of(errors: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """The errors of pydantic, without the values of the request."""
    return [
        Fault(
            where=".".join(str(part) for part in one["loc"]),
            what=_what(one),
        )
        for one in errors
    ]


def _what(error: Mapping[str, Any]) -> str:
    form = error.get("ctx", {}).get("pattern")
    return text_patterns.LOOKS_LIKE.get(form) or str(error["msg"]).removeprefix("Value error, ")
