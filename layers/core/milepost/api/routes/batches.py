"""Batches: one action on many orders, or many mails sent again: plan, start, follow."""

from typing import Annotated, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from milepost.actions.batch import BatchPlace, CannotStart, NoSuchBatch
from milepost.api import text_patterns
from milepost.api.batch_schema import (
    BatchAsked,
    BatchList,
    BatchStart,
    BatchView,
    PlanView,
    batch_view,
    listed_batch,
    plan_view,
)
from milepost.api.dependencies import Given, Services, Who
from milepost.api.openapi import may_answer
from milepost.api.pagination import BadCursor, Cursor, Limit, read_cursor, write_cursor
from milepost.api.problems import Conflict, NotFound, Problem
from milepost.api.routes.batch_targets import arguments_of, target_ids

router = Router()

_LIST: Final = "batches"

BatchPath = Annotated[
    str,
    Path(
        description="A batch's id, from the response to its dry run.",
        pattern=text_patterns.SHORT_HEX_ID,
    ),
]


@router.post(
    "/batches",
    summary="A dry run of one action on many orders: where it would be run, where refused, and why",
    tags=["batches"],
    operation_id="plan_batch",
    status_code=201,
    responses=may_answer(201, 404),
)
def plan_batch(
    asked: Annotated[BatchAsked, Body()], services: Given, caller: Who
) -> Response[PlanView]:
    ids = target_ids(asked, services)
    if not ids:
        raise Problem(422, "There is nothing to do: the filter matches nothing.")
    plan = services.batches.plan(
        asked.action, ids, arguments=arguments_of(asked), person=caller.person
    )
    return Response(status_code=201, content_type="application/json", body=plan_view(plan))


@router.post(
    "/batches/<batch>/start",
    summary="Start the batch that a dry run planned; starting it again resumes it",
    tags=["batches"],
    operation_id="start_batch",
    status_code=202,
    responses=may_answer(202, 404, 409),
)
def start_batch(
    batch: BatchPath, asked: Annotated[BatchStart, Body()], services: Given, caller: Who
) -> Response[BatchView]:
    try:
        started = services.batches.start(batch, token=asked.token, person=caller.person)
    except NoSuchBatch:
        raise _unknown(batch) from None
    except CannotStart as no:
        raise Conflict(f"Not started: {no}.") from None
    shown = batch_view(started, services.batches.targets(batch))
    return Response(status_code=202, content_type="application/json", body=shown)


@router.get(
    "/batches",
    summary="Batches of the last 30 days, the latest first",
    tags=["batches"],
    operation_id="list_batches",
    responses=may_answer(200),
)
def list_batches(
    services: Given,
    *,
    limit: Limit = 50,
    cursor: Annotated[Cursor | None, Query(description="`next` of a page.")] = None,
) -> BatchList:
    after = None if cursor is None else _place(cursor, services)
    found, last = services.batches.page(after=after, limit=services.rows(limit))
    return BatchList(
        batches=[listed_batch(one) for one in found],
        next=None
        if last is None
        else write_cursor(
            [last.created_at, last.id], of_list=_LIST, keys=services.cursor_keys.keys()
        ),
    )


def _place(cursor: str, services: Services) -> BatchPlace:
    said = read_cursor(cursor, of_list=_LIST, keys=services.cursor_keys.keys())
    try:
        return BatchPlace(*said)
    except TypeError:
        # Signed by another version of Milepost.
        raise BadCursor from None


@router.get(
    "/batches/<batch>",
    summary="The progress of a batch, and the outcome of each order",
    tags=["batches"],
    operation_id="show_batch",
    responses=may_answer(200, 404),
)
def show_batch(batch: BatchPath, services: Given) -> BatchView:
    try:
        found = services.batches.find(batch)
    except NoSuchBatch:
        raise _unknown(batch) from None
    return batch_view(found, services.batches.targets(batch))


@router.post(
    "/batches/<batch>/stop",
    summary="Stop a batch before its next order",
    tags=["batches"],
    operation_id="stop_batch",
    responses=may_answer(200, 404),
)
def stop_batch(batch: BatchPath, services: Given) -> BatchView:
    try:
        stopped = services.batches.stop(batch)
    except NoSuchBatch:
        raise _unknown(batch) from None
    return batch_view(stopped, services.batches.targets(batch))


def _unknown(batch: str) -> NotFound:
    return NotFound(f"There is no batch {batch}; batches are kept for 30 days.")
