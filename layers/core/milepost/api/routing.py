"""The routes of the API: the modules of each subject.

A subject is imported at its first request: importing all of them would make a cold start half as
long again.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.api_gateway import Route, Router

SUBJECTS: Final[Mapping[str, Sequence[str]]] = {
    "orders": ("order_lists", "orders", "actions", "tracking_links"),
    "order-ids": ("order_ids",),
    "groups": ("groups",),
    "notices": ("notice_lists", "notices"),
    "suppressions": ("suppressions",),
    "batches": ("batches",),
    "exports": ("exports",),
    "stages": ("stages",),
    "causes": ("causes",),
    "scorecards": ("scorecards",),
    "commissions": ("commissions",),
    "subscriptions": ("subscriptions",),
    "connections": ("connections", "connection_webhooks", "imports"),
    "quarantine": ("quarantine",),
    "dead-letters": ("dead_letters",),
    "customers": ("customers",),
    "activity": ("activity",),
    "views": ("views",),
}
"""Modules by the first segment of a subject's paths."""


def subject_of(path: str) -> str:
    """The first segment of a path, whether there is such a subject or not."""
    return path.removeprefix("/").partition("/")[0]


def routers_of(subject: str) -> list[Router]:
    """The routers of a subject; empty for an unknown one."""
    modules = [import_module(f"milepost.api.routes.{name}") for name in SUBJECTS.get(subject, ())]
    return [one.router for one in modules]


def routes_at(resolver: APIGatewayHttpResolver, path: str) -> list[Route]:
    """The routes at this path, for all methods."""
    routes = [*resolver._static_routes, *resolver._dynamic_routes]
    return [one for one in routes if one.rule.match(path)]
