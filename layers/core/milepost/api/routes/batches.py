"""Batches: one action on many orders, or many mails sent again; planned, started, watched."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Final, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from pydantic import ConfigDict, Field

from milepost.actions.batch import (
    MOST_TARGETS,
    RESEND,
    Batch,
    BatchPlace,
    BatchState,
    CannotStart,
    NoSuchBatch,
    Target,
    TargetState,
)
from milepost.actions.batch_plan import Plan, counts_of
from milepost.api import text_patterns
from milepost.api.dependencies import Given, Services, Who
from milepost.api.filters import check_connections
from milepost.api.instants import Instant
from milepost.api.json_model import Shape
from milepost.api.openapi import may_answer
from milepost.api.pagination import BadCursor, read_cursor, write_cursor
from milepost.api.problems import Conflict, Fault, NotFound, Problem
from milepost.api.routes.order_lists import wanted_orders
from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.notifications.notice import Audience, BadNoticeId, Channel, NoticeId, State
from milepost.notifications.notice_list import NoticePlace, WantedNotices
from milepost.orders.order import BadOrderId, Kind, OrderKey
from milepost.queries.order_list import Due

router = Router()

_LIST: Final = "batches"
_PAGE: Final = 100
_SAMPLE: Final = 10
Text = Annotated[str, Field(min_length=1, max_length=200)]
Id = Annotated[str, Field(min_length=1, max_length=1000)]

BatchPath = Annotated[
    str,
    Path(description="A batch's id, as its dry run says it.", pattern=text_patterns.BATCH_ID),
]


class OrderFilter(Shape):
    """Orders as `GET /orders` lists them; open ones without a status."""

    model_config = ConfigDict(extra="forbid")

    status: list[Status] | None = None
    connection: list[Text] | None = None
    provider: Text | None = None
    raw_status: Text | None = None
    service_type: Text | None = None
    attention: Text | None = Field(default=None, description="A code, or `any`.")
    due: Due | None = None
    first_day: date | None = Field(default=None, alias="from")
    last_day: date | None = Field(default=None, alias="to")
    q: Text | None = None
    waiting: Text | None = None
    reference: Text | None = None
    customer: Text | None = None
    product: Text | None = None
    place: Text | None = None
    updated_since: Instant | None = None


class NoticeFilter(Shape):
    """Notices as `GET /notices` lists them."""

    model_config = ConfigDict(extra="forbid")

    state: list[State] | None = None
    kind: list[Kind] | None = None
    connection: list[Text] | None = None
    audience: Audience | None = None
    recipient: str | None = Field(default=None, min_length=1, max_length=254)
    reason: Text | None = None
    since: Instant | None = None
    until: Instant | None = None


class BatchAsked(Shape):
    """What is to be done with which orders: either `orders` or `filter`. With the action `resend`,
    with which mails: either `notices` or `notice_filter`."""

    model_config = ConfigDict(extra="forbid")

    action: str = Field(
        pattern=text_patterns.ACTION,
        max_length=40,
        description="An action of docs/actions.md, or `resend`.",
    )
    orders: list[Id] | None = Field(default=None, min_length=1, max_length=MOST_TARGETS)
    filter: OrderFilter | None = None
    notices: list[Id] | None = Field(default=None, min_length=1, max_length=MOST_TARGETS)
    notice_filter: NoticeFilter | None = None
    reason: str | None = Field(default=None, description="Why, for the provider (cancel).")
    text: str | None = Field(default=None, description="What to note (note).")
    notify: Literal["on", "off"] | None = Field(
        default=None, description="Whether people are notified of what is new (refresh)."
    )
    attention: list[str] | None = Field(
        default=None, max_length=100, description="Codes of what was handled (acknowledge)."
    )
    force: bool = Field(default=False, description="Send what is out of date as well (resend).")


class BatchStart(Shape):
    """The token of the dry run: it starts that batch and no other."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(min_length=1, max_length=64)


class TargetView(Shape):
    """One order or notice of a batch, and its outcome."""

    number: int
    id: str
    state: TargetState
    why: str | None = Field(description="Why it was refused or failed.")
    at: str | None


class BatchView(Shape):
    """A batch, how far it is, and the outcome of each of its orders."""

    id: str
    action: str
    state: BatchState
    person: str
    started_by: str | None
    created_at: str
    total: int
    counts: dict[TargetState, int]
    targets: list[TargetView]


class ListedBatch(Shape):
    """A batch of the list."""

    id: str
    action: str
    state: BatchState
    person: str
    started_by: str | None
    created_at: str
    total: int


class BatchList(Shape):
    """A page of batches, the latest first."""

    batches: list[ListedBatch]
    next: str | None = Field(
        description="The cursor of the next page; none after the last one. A page may be short, "
        "even empty, and still have a next one."
    )


class PlanView(Shape):
    """A dry run: nothing was done yet."""

    id: str
    token: str = Field(description="Starts the batch, within an hour.")
    action: str
    total: int
    counts: dict[TargetState, int]
    charges: int = Field(description="Orders whose customer's card would be charged.")
    sample: list[str] = Field(description="Some of those that would be done.")
    refused: list[TargetView] = Field(description="Those that would be refused, and why.")


@router.post(
    "/batches",
    summary="A dry run of one action on many orders: what would be done, what refused and why",
    tags=["batches"],
    operation_id="plan_batch",
    status_code=201,
    responses=may_answer(201),
)
def plan_batch(
    asked: Annotated[BatchAsked, Body()], services: Given, caller: Who
) -> Response[PlanView]:
    ids = _ids(asked, services)
    if not ids:
        raise Problem(422, "There is nothing to do: the filter finds nothing.")
    plan = services.batches.plan(
        asked.action, ids, arguments=_arguments(asked), person=caller.person
    )
    return Response(status_code=201, content_type="application/json", body=_plan_view(plan))


@router.post(
    "/batches/<batch>/start",
    summary="Start what a dry run planned; started again, it goes on where it is",
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
    shown = _view(started, services.batches.targets(batch))
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
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str | None, Query(max_length=4000, description="`next` of a page.")] = None,
) -> BatchList:
    after = None if cursor is None else _place(cursor, services)
    found, last = services.batches.page(after=after, limit=services.rows(limit))
    return BatchList(
        batches=[_listed(one) for one in found],
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
        # Signed by another version of ours.
        raise BadCursor from None


@router.get(
    "/batches/<batch>",
    summary="How far a batch is, and the outcome of each order",
    tags=["batches"],
    operation_id="show_batch",
    responses=may_answer(200, 404),
)
def show_batch(batch: BatchPath, services: Given) -> BatchView:
    try:
        found = services.batches.find(batch)
    except NoSuchBatch:
        raise _unknown(batch) from None
    return _view(found, services.batches.targets(batch))


@router.post(
    "/batches/<batch>/stop",
    summary="Begin with no further order; what is at work ends as it would",
    tags=["batches"],
    operation_id="stop_batch",
    responses=may_answer(200, 404),
)
def stop_batch(batch: BatchPath, services: Given) -> BatchView:
    try:
        stopped = services.batches.stop(batch)
    except NoSuchBatch:
        raise _unknown(batch) from None
    return _view(stopped, services.batches.targets(batch))


def _arguments(asked: BatchAsked) -> dict[str, Any]:
    said = {
        "reason": asked.reason,
        "text": asked.text,
        "notices": asked.notify,
        "attention": asked.attention,
        "force": asked.force or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _ids(asked: BatchAsked, services: Services) -> list[str]:
    """The targets' ids as they are now: what comes later is not part of the batch.

    :raises Problem: 422 when it is not said by one way which they are, or there are too many
    """
    ways = ("notices", "notice_filter") if asked.action == RESEND else ("orders", "filter")
    given = [
        name
        for name in ("orders", "filter", "notices", "notice_filter")
        if getattr(asked, name) is not None
    ]
    if len(given) != 1 or given[0] not in ways:
        what = f"either `{ways[0]}` or `{ways[1]}`"
        raise Problem(422, f"Name {what}.", errors=[Fault(where="body", what=what)])
    if asked.orders is not None:
        return [_order(one) for one in asked.orders]
    if asked.notices is not None:
        return [_notice(one) for one in asked.notices]
    if asked.notice_filter is not None:
        return _notices_of(asked.notice_filter, services)
    return _orders_of(asked.filter or OrderFilter(), services)


def _order(text: str) -> str:
    try:
        return OrderKey.parse(text).path_id
    except BadOrderId as error:
        raise _bad_id("orders", text, error) from None


def _notice(text: str) -> str:
    try:
        return NoticeId.parse(text).path_id
    except BadNoticeId as error:
        raise _bad_id("notices", text, error) from None


def _bad_id(where: str, text: str, error: Exception) -> Problem:
    fault = Fault(where=f"body.{where}", what=f"{text[:64]}: {error}")
    return Problem(422, "An id can't be read.", errors=[fault])


def _orders_of(asked: OrderFilter, services: Services) -> list[str]:
    said = {name: getattr(asked, name) for name in OrderFilter.model_fields}
    wanted = wanted_orders(services, **said)
    found, more = services.finder.matching(wanted, text=asked.q, most=MOST_TARGETS)
    _require_few(len(found) + more)
    return [one.key.path_id for one in found]


def _notices_of(asked: NoticeFilter, services: Services) -> list[str]:
    check_connections(asked.connection, services)
    wanted = WantedNotices(
        states=frozenset(asked.state or ()),
        kinds=frozenset(asked.kind or ()),
        connections=frozenset(asked.connection or ()),
        audience=asked.audience,
        channel=Channel.EMAIL,
        recipient=asked.recipient,
        reason=asked.reason,
        since=asked.since,
        until=asked.until,
    )
    found = dict[str, None]()
    after: NoticePlace | None = None
    while True:
        page = services.notice_lists.page(wanted, after=after, limit=_PAGE)
        found |= dict.fromkeys(NoticeId.parse(one["id"]).path_id for one in page.entries)
        _require_few(len(found))
        after = page.last
        if after is None:
            return list(found)


def _require_few(number: int) -> None:
    if number > MOST_TARGETS:
        what = f"more than {MOST_TARGETS:,} match: narrow the filter, and make several batches"
        raise Problem(422, f"{what[0].upper()}{what[1:]}.", errors=[Fault(where="body", what=what)])


def _unknown(batch: str) -> NotFound:
    return NotFound(f"There is no batch {batch}; batches are kept for 30 days.")


def _plan_view(plan: Plan) -> PlanView:
    waiting = [one.id for one in plan.targets if one.state is TargetState.WAITING]
    return PlanView(
        id=plan.batch.id,
        token=plan.batch.token,
        action=plan.batch.action,
        total=plan.batch.total,
        counts=counts_of(plan.targets),
        charges=plan.batch.charges,
        sample=waiting[:_SAMPLE],
        refused=[_target(one) for one in plan.targets if one.state is TargetState.REFUSED],
    )


def _listed(batch: Batch) -> ListedBatch:
    return ListedBatch(
        id=batch.id,
        action=batch.action,
        state=batch.state,
        person=batch.person,
        started_by=batch.started_by,
        created_at=format_instant(batch.created_at),
        total=batch.total,
    )


def _view(batch: Batch, targets: Sequence[Target]) -> BatchView:
    return BatchView(
        id=batch.id,
        action=batch.action,
        state=batch.state,
        person=batch.person,
        started_by=batch.started_by,
        created_at=format_instant(batch.created_at),
        total=batch.total,
        counts=counts_of(targets),
        targets=[_target(one) for one in targets],
    )


def _target(one: Target) -> TargetView:
    return TargetView(number=one.number, id=one.id, state=one.state, why=one.why, at=one.at)
