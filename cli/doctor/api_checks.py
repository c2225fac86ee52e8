"""Checks of the API: its routes."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cli.doctor.findings import ExaminedStack, Finding, failure, ok
from cli.errors import CannotDo

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
