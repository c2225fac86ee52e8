"""Which routes there are at a path."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.api_gateway import Route


def routes_at(resolver: APIGatewayHttpResolver, path: str) -> list[Route]:
    """The routes at this path, of whatever method."""
    routes = [*resolver._static_routes, *resolver._dynamic_routes]
    return [one for one in routes if one.rule.match(path)]
