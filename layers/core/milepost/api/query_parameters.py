"""Checks the names of query parameters: an unknown name is an error and never ignored.

If a misspelled filter were ignored, the list would contain orders that the client didn't ask for.
"""

from collections.abc import Mapping
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.api_gateway import Route
from aws_lambda_powertools.event_handler.openapi.params import get_flat_dependant

from milepost.api.listings import FILE_PARAMETERS, listing_at
from milepost.api.problems import Fault, Problem
from milepost.api.routing import routes_at

_LONGEST_SHOWN: Final = 64


def refuse_unknown_names(
    resolver: APIGatewayHttpResolver, *, method: str, path: str, query: Mapping[str, Any]
) -> None:
    """Check the names of a request's query parameters; an unknown path or method is not checked.

    :param query: the request's parameters by name
    :raises Problem: 422, with each unknown name, and the known names
    """
    if not query:
        return
    known = next((names_of(one) for one in routes_at(resolver, path) if one.method == method), None)
    if known is None or not (strange := sorted(query.keys() - known)):
        return
    there_are = f"there are: {', '.join(known)}" if known else "this address takes none"
    names = ", ".join(one[:_LONGEST_SHOWN] for one in strange)
    raise Problem(
        422,
        f"There is no query parameter {names}; {there_are}.",
        errors=[
            Fault(where=f"query.{one[:_LONGEST_SHOWN]}", what=f"unknown; {there_are}")
            for one in strange
        ],
    )


def names_of(route: Route) -> list[str]:
    """The query parameters of a route, as in its OpenAPI description."""
    own = [one.alias for one in get_flat_dependant(route.dependant).query_params]
    is_list = route.method == "GET" and listing_at(route.openapi_path) is not None
    return sorted([*own, *(FILE_PARAMETERS if is_list else ())])
