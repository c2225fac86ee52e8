"""Adds a saved view's filters to those of a list of orders."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

import typer

from cli.api import OrdersApi
from cli.errors import WrongUse
from milepost.queries.saved_views import Shared, View, find_view

ViewOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--view", metavar="NAME", help="The filters of this view; others are added."),
]


def with_view(api: OrdersApi, named: str, query: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of ``GET /orders`` that a view has, and those given beside it, which count
    where both say something.

    :param named: a view's id or name
    :raises WrongUse: when there is no such view
    """
    views = [
        View(id=v["id"], name=v["name"], filters=v["filters"], shared=Shared(v["shared"]))
        for v in api.get("/views")["views"]
    ]
    found = find_view(named, views)
    if found is None:
        known = ", ".join(one.id for one in views)
        raise WrongUse(f"--view {named}: there is no such view; there are: {known}.")
    filters = {name: list(values) for name, values in found.filters.items()}
    return filters | {name: value for name, value in query.items() if value is not None}
