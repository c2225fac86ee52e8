"""Checks of the AWS account: concurrent executions of functions, and the routes of the API."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cli.doctor.findings import ExaminedStack, Finding, failure, ok, warning
from cli.errors import CannotDo

_ENOUGH: Final = 100
"""Functions at once below which a burst of webhooks is throttled; a new account may have 10.
Source: Lambda developer guide, "Lambda quotas"."""
OPEN_ROUTES: Final = frozenset(
    {
        "ANY /webhooks/{connection}",
        *("GET /unsubscribe/{token}", "POST /unsubscribe/{token}"),
        "GET /track/{token}",
        *("ANY /console", "ANY /console/{proxy+}"),
    }
)
"""The routes without a token of the API: providers sign what they send, links carry a token, and
the console signs people in itself."""


def check_concurrency(patient: ExaminedStack) -> Iterator[Finding]:
    """Whether the account runs enough functions at once."""
    limits = patient.stack.client("lambda").get_account_settings()["AccountLimit"]
    most = limits["ConcurrentExecutions"]
    if most < _ENOUGH:
        yield warning(
            "concurrency",
            f"the account runs {most} functions concurrently: a burst of webhooks gets 5xx",
            "Request 1,000 concurrent executions of Lambda in the Service Quotas console.",
        )
    else:
        yield ok("concurrency", f"the account runs {most:,} functions concurrently")


def check_routes(patient: ExaminedStack) -> Iterator[Finding]:
    """Whether the API has the routes that are open to everybody, and no other one is open."""
    apis = patient.resources("AWS::ApiGatewayV2::Api")
    if not apis:
        raise CannotDo(f"the stack {patient.stack.name} has no API: is it a Milepost stack?")
    routes = [one for api in apis.values() for one in _routes(patient, api)]
    open_ones = {
        one["RouteKey"] for one in routes if one.get("AuthorizationType", "NONE") == "NONE"
    }
    for missing in sorted(OPEN_ROUTES - open_ones):
        yield failure("routes", f"{missing} is missing, or requires a token", "Deploy again.")
    for extra in sorted(open_ones - OPEN_ROUTES):
        yield failure("routes", f"{extra} is open to everybody", "Deploy again.")
    if open_ones == OPEN_ROUTES:
        yield ok("routes", f"{len(routes)} routes, {len(open_ones)} of them without a token")


def _routes(patient: ExaminedStack, api: str) -> list[Mapping[str, Any]]:
    pages = patient.stack.client("apigatewayv2").get_paginator("get_routes").paginate(ApiId=api)
    return [one for page in pages for one in page["Items"]]
