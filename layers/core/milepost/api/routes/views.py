"""Saved views: named filters of order lists, personal or of the team."""

import inspect
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from pydantic import ConfigDict, Field

from milepost.api import text_patterns
from milepost.api.app import Api
from milepost.api.auth import Caller
from milepost.api.dependencies import Given, Recorded, Services, Who
from milepost.api.filters import within_body
from milepost.api.json_model import Shape
from milepost.api.openapi import may_answer
from milepost.api.problems import Conflict, Fault, NotFound, Problem
from milepost.api.routes.export_lists import ThisApi, ask_list
from milepost.api.routes.order_lists import list_orders
from milepost.queries.list_choices import Sort
from milepost.queries.saved_views import (
    MOST_VIEWS,
    NOT_SAVED,
    SYSTEM_VIEWS,
    Shared,
    TooManyViews,
    View,
    all_views,
)

router = Router()

ViewPath = Annotated[
    str,
    Path(
        description="A view's id: small letters, digits and hyphens.",
        pattern=text_patterns.VIEW_ID,
        max_length=64,
        examples=["my-week"],
    ),
]
Value = Annotated[str, Field(min_length=1, max_length=200)]


class ViewView(Shape):
    """Named filters of order lists."""

    id: str
    name: str
    shared: Shared = Field(description="`own`, `team`, or `system` for one that is built in.")
    filters: dict[str, list[str]] = Field(
        description="Query parameters of `GET /orders`.",
        examples=[{"status": ["rejected"], "due": ["this_week"]}],
    )


class ViewList(Shape):
    """The caller's views: built-in ones, their own, and the team's."""

    views: list[ViewView]


class SaidView(Shape):
    """The contents of a view."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=80)
    shared: Literal["own", "team"] = "own"
    filters: dict[str, Annotated[list[Value], Field(min_length=1, max_length=100)]] = Field(
        max_length=30,
        description="Query parameters of `GET /orders`, each with its values.",
    )


@router.get(
    "/views",
    summary="Saved views: the built-in ones, your own, and the team's",
    tags=["views"],
    operation_id="list_views",
    responses=may_answer(200),
)
def list_views(services: Given, caller: Who) -> ViewList:
    return ViewList(views=[_view(one) for one in all_views(services.views.of(caller.subject))])


@router.put(
    "/views/<view>",
    summary="Save a view of your own or of the team",
    tags=["views"],
    operation_id="save_view",
    responses=may_answer(200, 409),
)
def save_view(
    view: ViewPath,
    *,
    services: Given,
    caller: Who,
    change: Recorded,
    api: ThisApi,
    said: Annotated[SaidView, Body()],
) -> ViewView:
    _require_filters(said)
    made = View(id=view, name=said.name, filters=said.filters, shared=Shared(said.shared))
    there = _there(view, services, caller.subject)
    if there is not None and there.shared is Shared.SYSTEM:
        raise Conflict(f"The view {view} is built in: use another id.")
    # A view that names a connection since removed can still be renamed and shared.
    if there is None or there.filters != said.filters:
        _check_values(said, replace(api, services=services), caller)
    try:
        services.views.put(made, subject=caller.subject)
    except TooManyViews:
        raise Conflict(f"There are already {MOST_VIEWS} views: delete one first.") from None
    change.changed(before=_recorded(there) if there else None, after=_recorded(made))
    if there is not None and there.shared is not made.shared:
        services.views.delete(there, subject=caller.subject)
    return _view(made)


@router.delete(
    "/views/<view>",
    summary="Delete your own view, or else the team's",
    tags=["views"],
    operation_id="delete_view",
    status_code=204,
    responses=may_answer(204, 404, 409),
)
def delete_view(view: ViewPath, services: Given, caller: Who, change: Recorded) -> Response[str]:
    there = _there(view, services, caller.subject)
    if there is None:
        raise NotFound(f"There is no view {view}; /views lists them.")
    if there.shared is Shared.SYSTEM:
        raise Conflict(f"The view {view} is built in and can't be deleted.")
    change.changed(before=_recorded(there))
    services.views.delete(there, subject=caller.subject)
    return Response(status_code=204, body="")


def _there(view_id: str, services: Services, subject: str) -> View | None:
    kept = sorted(services.views.of(subject), key=lambda one: one.shared is not Shared.OWN)
    return next((one for one in (*kept, *SYSTEM_VIEWS) if one.id == view_id), None)


def _recorded(view: View) -> dict[str, object]:
    """What the activity log stores of a view: without its name, which is free text."""
    return {"shared": str(view.shared), "filters": sorted(view.filters)}


def _require_filters(said: SaidView) -> None:
    known = sorted(set(filter_names()) - NOT_SAVED)
    faults = [
        Fault(where=f"body.filters.{name[:64]}", what=f"views can't have it; possible are: {known}")
        for name in sorted(said.filters.keys() - known)
    ]
    if faults:
        names = ", ".join(known)
        raise Problem(422, f"A view can only have these filters: {names}.", errors=faults)


def _check_values(said: SaidView, api: Api, caller: Caller) -> None:
    """Check the filters' values, by a request for the first order of the list.

    :raises Problem: 422 as ``GET /orders`` answers it
    """
    asked = {**said.filters, "limit": ["1"]}
    if asked.get("sort", [])[1:] == [] and set(asked.get("sort", ())) <= set(Sort):
        # Sorting reads the whole list.
        asked.pop("sort", None)
    try:
        ask_list(api, "orders", asked, person=caller.person, subject=caller.subject)
    except Problem as problem:
        raise within_body(problem, "body.filters") from None


def filter_names() -> Iterator[str]:
    """The query parameters of ``GET /orders``."""
    for name, one in inspect.signature(list_orders).parameters.items():
        for about in getattr(one.annotation, "__metadata__", ()):
            if isinstance(about, Query):
                yield about.alias or name


def _view(one: View) -> ViewView:
    filters = {name: list(values) for name, values in one.filters.items()}
    return ViewView(id=one.id, name=one.name, shared=one.shared, filters=filters)
