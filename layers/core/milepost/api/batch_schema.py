"""The API's schemas of batches: requests and responses."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from milepost.actions.batch import (
    MOST_TARGETS,
    Batch,
    BatchState,
    Target,
    TargetState,
    require_few_targets,
)
from milepost.actions.batch_plan import Plan, counts_of
from milepost.api import text_patterns
from milepost.api.instants import Instant
from milepost.api.json_model import Shape
from milepost.common.status import Status
from milepost.common.timestamps import format_instant
from milepost.notifications.notice import Audience, State
from milepost.orders.order import Kind
from milepost.queries.list_choices import Due

_SAMPLE: Final = 10
Text = Annotated[str, Field(min_length=1, max_length=200)]
Id = Annotated[str, Field(min_length=1, max_length=1000)]


def _few(said: Any) -> Any:
    """Refused before any of them is read, in the words in which a filter's targets are."""
    if isinstance(said, list):
        require_few_targets(len(said))
    return said


Ids = Annotated[
    list[Id],
    BeforeValidator(_few),
    Field(min_length=1, json_schema_extra={"maxItems": MOST_TARGETS}),
]


class OrderFilter(Shape):
    """Filters of `GET /orders`; without a status, open orders."""

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
    """Filters of `GET /notices`."""

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
    """The action and its orders: either `orders` or `filter`. For the action `resend`, its mails:
    either `notices` or `notice_filter`."""

    model_config = ConfigDict(extra="forbid")

    action: str = Field(
        pattern=text_patterns.ACTION,
        max_length=40,
        description="An action of docs/actions.md, or `resend`.",
    )
    orders: Ids | None = None
    filter: OrderFilter | None = None
    notices: Ids | None = None
    notice_filter: NoticeFilter | None = None
    reason: str | None = Field(default=None, description="Why, for the provider (cancel).")
    text: str | None = Field(default=None, description="What to note (note).")
    notify: Literal["on", "off"] | None = Field(
        default=None, description="Whether people are notified of what is new (refresh)."
    )
    attention: list[str] | None = Field(
        default=None, max_length=100, description="Codes of what was handled (acknowledge)."
    )
    force: bool = Field(default=False, description="Also send mails that are out of date (resend).")


class BatchStart(Shape):
    """The token of the dry run: it starts only that batch."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(min_length=1, max_length=64)


class TargetView(Shape):
    """One order or notice of a batch, and its outcome."""

    number: int
    id: str
    state: TargetState
    why: str | None = Field(description="Why it was refused or failed.")
    at: str | None


class ListedBatch(Shape):
    """A batch in a list."""

    id: str
    action: str
    state: BatchState
    person: str
    started_by: str | None
    created_at: str
    total: int


class BatchView(ListedBatch):
    """A batch with its progress and the outcome of each order."""

    counts: dict[TargetState, int]
    targets: list[TargetView]


class BatchList(Shape):
    """A page of batches, the latest first."""

    batches: list[ListedBatch]
    next: str | None = Field(
        description="The cursor of the next page; none after the last one. A page may be short, "
        "even empty, and still have a next one."
    )


class PlanView(Shape):
    """The result of a dry run: nothing was done."""

    id: str
    token: str = Field(description="Starts the batch, within an hour.")
    action: str
    total: int
    counts: dict[TargetState, int]
    charges: int = Field(description="Orders whose customer's card would be charged.")
    sample: list[str] = Field(description="Some of the orders for which the action would be run.")
    refused: list[TargetView] = Field(description="Orders for which it would be refused, and why.")


def plan_view(plan: Plan) -> PlanView:
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


def listed_batch(batch: Batch) -> ListedBatch:
    return ListedBatch(
        id=batch.id,
        action=batch.action,
        state=batch.state,
        person=batch.person,
        started_by=batch.started_by,
        created_at=format_instant(batch.created_at),
        total=batch.total,
    )


def batch_view(batch: Batch, targets: Sequence[Target]) -> BatchView:
    return BatchView(
        **listed_batch(batch).model_dump(),
        counts=counts_of(targets),
        targets=[_target(one) for one in targets],
    )


def _target(one: Target) -> TargetView:
    return TargetView(number=one.number, id=one.id, state=one.state, why=one.why, at=one.at)
