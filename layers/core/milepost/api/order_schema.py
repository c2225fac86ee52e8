"""The API's schema of an order."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from milepost.actions.request_checks import allowed_actions
from milepost.api.forecast_schema import ForecastView
from milepost.api.json_model import Shape
from milepost.api.notice_schema import NoticeView
from milepost.common.status import Status
from milepost.common.timestamps import format_instant, sortable
from milepost.connections.connection import Connection
from milepost.orders.action_results import completion_planned_for, current_plan
from milepost.orders.deadlines import expected_by, next_date
from milepost.orders.details import ABOUT_AN_ACTION
from milepost.orders.lifecycle import TERMINAL
from milepost.orders.next_steps import next_step, open_points, who_acts
from milepost.orders.order import Announcement, Effect, Entry, Kind, Order, TrackedOrder
from milepost.orders.reminders import action_to_complete, awaits_planned_completion
from milepost.orders.report import Source
from milepost.orders.summary import Wait
from milepost.providers.registry import adapter_of

Facts = dict[str, Any]


class AttentionView(Shape):
    """A reason why a person should look at the order."""

    id: str = Field(
        description="The id by which to acknowledge it: of this reason with these facts."
    )
    code: str = Field(examples=["missing_data"])
    text: str


class EntryView(Shape):
    """A report on the timeline, and its effect."""

    at: str = Field(description="When it occurred; an instant in UTC.")
    seen_at: str = Field(description="When Milepost received it.")
    source: Source
    status: Status | None
    raw_status: str | None = Field(description="The provider's own word for the status.")
    effect: Effect
    person: str | None = Field(description="The person who did or noted it.")
    action: str | None
    result: str | None = Field(description="The result of the action.", examples=["done"])
    note: str | None
    outcome: str | None = Field(description="The provider's response to the action.")
    planned_for: str | None
    details: Facts = Field(description="The facts of this report.")


class PlanView(Shape):
    """A planned action; it can be changed and cancelled until its time."""

    action: str = Field(examples=["fulfill"])
    planned_for: str
    person: str = Field(description="Who planned it; the provider's name if it is planned there.")
    planned_in: Literal["milepost", "provider"] = Field(
        description="Where it is planned. What is planned at the provider is changed there."
    )


class EarlierView(Shape):
    """The summary of the oldest reports of a very long timeline."""

    reports: int
    until: str
    status: Status
    since: str


class WaitView(Shape):
    """Something that the customer has to do first; the stage's time limit is paused meanwhile."""

    what: str = Field(examples=["payment"])
    since: str


class NextView(Shape):
    """The next step, and when it is due."""

    step: str
    action: str | None = Field(
        description="The action by which the team takes this step, if it does.",
        examples=["fulfill"],
    )
    who: str | None = Field(
        description="Who has to act, where the provider's status says it.", examples=["customer"]
    )
    by: str = Field(description="The appointment, or else when the present stage should end.")
    expected_by: str | None = Field(description="By when the whole order should be complete.")
    open_points: list[str] = Field(
        description="What the customer has to do before the order continues."
    )
    waiting: WaitView | None = Field(
        description="What the order waits for now, if it waits for the customer."
    )


class AnnouncementView(Shape):
    """A change that people were notified of."""

    sequence: int
    kind: Kind
    status: Status
    occurred_at: str
    announced_at: str


class OrderView(Shape):
    """An order: its present status and its timeline."""

    id: str = Field(examples=["offergrid-main:ord_1:item_1"])
    group: str = Field(examples=["offergrid-main:ord_1"])
    connection: str
    provider: str | None = Field(description="None if the connection was removed.")
    order_id: str
    item_id: str
    status: Status
    raw_status: str | None
    since: str
    reference: str | None
    service_type: str | None
    appointment: str | None
    details: Facts = Field(
        description="Every fact that the provider reported; amounts are strings."
    )
    attention: list[AttentionView]
    actions: list[str] = Field(description="The actions that the order allows now.")
    planned: list[PlanView] = Field(description="Planned actions.")
    next: NextView | None = Field(description="None once the order is closed.")
    forecast: ForecastView | None = Field(description="None once the order is closed.")
    timeline: list[EntryView] = Field(description="By the time at which it occurred.")
    earlier: EarlierView | None = Field(
        description="The summary of the oldest reports, for a very long timeline."
    )
    announced: list[AnnouncementView]
    notices: list[NoticeView]
    erased_at: str | None = Field(description="When the customer was erased, if they were.")


def order_view(
    tracked: TrackedOrder,
    *,
    connection: Connection | None,
    notices: list[NoticeView],
    now: datetime,
    forecast: ForecastView | None = None,
) -> OrderView:
    """The order with all its data.

    :param connection: None if its connection was removed; the next step is then unknown
    :param now: the present time, which decides what the team has to do now
    """
    order = tracked.shown
    key = order.key
    # An erased order has no actions and no next step.
    acting = None if tracked.erased_at else connection
    return OrderView(
        id=key.path_id,
        group=group_id(order),
        connection=key.connection,
        provider=connection.provider if connection else None,
        order_id=key.order_id,
        item_id=key.item_id,
        status=order.status,
        raw_status=order.raw_status,
        since=format_instant(order.since),
        reference=order.details.get("reference"),
        service_type=order.details.get("service_type"),
        appointment=order.appointment,
        details=plain(order.details),
        attention=attention_views(order),
        actions=_actions(order, acting),
        planned=_plans(order, acting),
        next=_next(order, acting, now),
        forecast=forecast,
        timeline=[_entry(entry) for entry in order.timeline],
        earlier=_earlier(order),
        announced=[_announcement(one) for one in tracked.announced],
        notices=notices,
        erased_at=_instant(tracked.erased_at),
    )


def attention_views(order: Order) -> list[AttentionView]:
    """The reasons for attention that nobody has acknowledged."""
    return [AttentionView(id=one.id, code=one.code, text=one.text) for one in order.attention]


def _actions(order: Order, connection: Connection | None) -> list[str]:
    return list(allowed_actions(order, adapter_of(connection))) if connection else []


def _plans(order: Order, connection: Connection | None) -> list[PlanView]:
    actions = adapter_of(connection).actions if connection else {}
    plans = (current_plan(order, name) for name, one in actions.items() if one.can_be_planned)
    ours = [
        PlanView(
            action=plan.action,
            planned_for=format_instant(plan.planned_for),
            person=plan.person,
            planned_in="milepost",
        )
        for plan in plans
        if plan is not None and plan.planned_for is not None
    ]
    return [*ours, *_plans_of_provider(order, connection)]


def _plans_of_provider(order: Order, connection: Connection | None) -> list[PlanView]:
    at, action = order.details.get("fulfilment_at"), order.details.get("completed_by")
    if connection is None or not at or not action or order.status in TERMINAL:
        return []
    provider = connection.provider
    return [PlanView(action=action, planned_for=at, person=provider, planned_in="provider")]


def group_id(order: Order) -> str:
    """The id of the group that an order belongs to."""
    return order.key.path_id.rpartition(":")[0]


def plain(value: Any) -> Any:
    """The value with numbers as texts, which are exact, unlike JSON numbers."""
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return f"{value:f}" if isinstance(value, Decimal) else value


def _next(order: Order, connection: Connection | None, now: datetime) -> NextView | None:
    step = next_step(order, connection) if connection else None
    if step is None or connection is None:
        return None
    action = planned = None
    if awaits_planned_completion(order, connection, now=now):
        planned, step = completion_planned_for(order), "The order is completed as planned."
    elif action := action_to_complete(order, connection, now=now):
        step = f"The team completes the order by the action {action}."
    expected = expected_by(order, connection)
    return NextView(
        step=step,
        action=action,
        who=who_acts(order, connection),
        by=sortable(planned or next_date(order, connection)),
        expected_by=sortable(expected) if expected else None,
        open_points=open_points(order),
        waiting=wait_view(order.waiting),
    )


def wait_view(wait: Wait | None) -> WaitView | None:
    """The wait for the customer, if there is one."""
    return WaitView(what=wait.what, since=format_instant(wait.since)) if wait else None


def _entry(entry: Entry) -> EntryView:
    report = entry.report
    said = report.details
    facts = {name: value for name, value in said.items() if name not in ABOUT_AN_ACTION}
    return EntryView(
        at=format_instant(report.occurred_at),
        seen_at=format_instant(report.seen_at),
        source=report.source,
        status=report.status,
        raw_status=report.raw_status,
        effect=entry.effect,
        person=said.get("person"),
        action=said.get("action"),
        result=said.get("result"),
        note=said.get("note"),
        outcome=said.get("outcome"),
        planned_for=said.get("planned_for"),
        details=plain(facts),
    )


def _earlier(order: Order) -> EarlierView | None:
    if order.summary is None:
        return None
    return EarlierView(
        reports=order.summary.count,
        until=format_instant(order.summary.until),
        status=order.summary.status,
        since=format_instant(order.summary.since),
    )


def _announcement(one: Announcement) -> AnnouncementView:
    return AnnouncementView(
        sequence=one.sequence,
        kind=one.kind,
        status=one.status,
        occurred_at=format_instant(one.occurred_at),
        announced_at=format_instant(one.announced_at),
    )


def _instant(at: datetime | None) -> str | None:
    return format_instant(at) if at else None
