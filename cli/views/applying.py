"""Adds a saved view's filters to the filters of a list of orders."""

from collections.abc import Mapping
from importlib import import_module
from typing import Annotated, Any, TypeAlias

import typer

from cli.api import OrdersApi
from cli.errors import WrongUse

ViewOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--view", metavar="NAME", help="The filters of this view; others are added."),
]


def with_view(api: OrdersApi, named: str, query: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of ``GET /orders`` from a view, and those given besides, which take
    precedence.

    :param named: a view's id or name
    :raises WrongUse: when there is no such view
    """
    # Most lists are read without a view, and these rules import all of orders.
    saved = import_module("milepost.queries.saved_views")
    views = [
        saved.View(
            id=one["id"],
            name=one["name"],
            filters=one["filters"],
            shared=saved.Shared(one["shared"]),
        )
        for one in api.get("/views")["views"]
    ]
    found = saved.find_view(named, views)
    if found is None:
        known = ", ".join(one.id for one in views)
        raise WrongUse(f"--view {named}: there is no such view; there are: {known}.")
    filters = {name: list(values) for name, values in found.filters.items()}
    return filters | {name: value for name, value in query.items() if value is not None}
