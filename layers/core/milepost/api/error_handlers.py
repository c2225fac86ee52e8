"""Maps every error of a request to the problem that the caller gets."""

from collections.abc import Callable
from typing import Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError, ServiceError
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
)

from milepost.api.problems import Problem, answer_to, faults_of
from milepost.api.routing import routes_at
from milepost.common.exception_summary import places
from milepost.connections.connection import UnknownConnection, UnusableConnection
from milepost.notifications.notice import BadNoticeId
from milepost.orders.order import BadOrderId

RETRY_AFTER: Final = {"retry-after": "30"}

Telling = Callable[[Any], Problem]


def respond_with_problems(
    resolver: APIGatewayHttpResolver, *, log: Logger, is_outage: Callable[[Exception], bool]
) -> None:
    """Make the resolver respond with a problem to every exception."""
    problem_makers: dict[type[Exception], Telling] = {
        Problem: _itself,
        NotFoundError: lambda _error: _no_route(resolver),
        ServiceError: _as_powertools_says,
        RequestUnsupportedContentType: lambda _error: Problem(
            415, "Send the body as application/json."
        ),
        RequestValidationError: _not_valid,
        UnknownConnection: _unknown,
        UnusableConnection: _unusable,
        BadOrderId: _unknown,
        BadNoticeId: _unknown,
        Exception: lambda error: _down(error, log) if is_outage(error) else _failed(error, log),
    }
    for kind, telling in problem_makers.items():
        resolver.exception_handler(kind)(_answering(telling))


def _answering(telling: Telling) -> Callable[[Exception], Response[str]]:
    return lambda error: answer_to(telling(error))


def _itself(problem: Problem) -> Problem:
    return problem


def _as_powertools_says(error: ServiceError) -> Problem:
    return Problem(error.status_code, str(error.msg))


def _unknown(error: Exception) -> Problem:
    return Problem(404, f"{error}.")


def _unusable(error: UnusableConnection) -> Problem:
    return Problem(
        409, f"Nothing can be done for this connection: {error}. Correct it, then repeat."
    )


def _not_valid(error: RequestValidationError) -> Problem:
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return Problem(400, f"The body can't be read: {found[0]['ctx']['error']}.")
    return Problem(422, "The request is not valid.", errors=faults_of(found))


def _no_route(resolver: APIGatewayHttpResolver) -> Problem:
    methods = sorted({one.method for one in routes_at(resolver, resolver.current_event.path)})
    if not methods:
        return Problem(404, "There is no route at this address; /openapi.json lists the routes.")
    allow = ", ".join(methods)
    return Problem(405, f"This address allows {allow}.", headers={"allow": allow})


def _down(error: Exception, log: Logger) -> Problem:
    log.error("unavailable", error=type(error).__name__)
    return Problem(503, "A dependency is unavailable. Try again later.", headers=RETRY_AFTER)


def _failed(error: Exception, log: Logger) -> Problem:
    log.error("failed", error=type(error).__name__, where=places(error)[-3:])
    return Problem(500, "Internal error. It is logged and raises an alarm.")
