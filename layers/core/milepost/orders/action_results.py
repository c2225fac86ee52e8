"""Actions on a timeline: which actions were run, with which result, and which one is planned."""

from dataclasses import dataclass
from datetime import datetime

from milepost.common.errors import BadPayload
from milepost.common.timestamps import parse_instant
from milepost.orders.details import Result
from milepost.orders.order import Order
from milepost.orders.report import Report, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionDone:
    """An action on the timeline: its result, and the provider's answer in its own words."""

    action: str
    key: str
    person: str
    result: Result
    at: datetime
    outcome: str | None = None
    answered: int | None = None
    planned_for: datetime | None = None
    repeated: bool = False
    """Whether it had already been done with this idempotency key, and was not done again."""


def current_plan(order: Order, action: str) -> ActionDone | None:
    """The plan of this action that is still valid: not changed, cancelled or carried out since."""
    plan = None
    for entry in order.timeline:
        said = entry.report.details
        if entry.report.source is not Source.PERSON or said.get("action") != action:
            continue
        done = read_done(entry.report)
        if done.result is Result.STARTED:
            continue
        if done.result is Result.PLANNED:
            plan = done
        elif done.planned_for is not None or done.result is Result.DONE:
            plan = None
    return plan


def completion_planned_for(order: Order) -> datetime | None:
    """When the order will be completed as planned, at the provider or in Milepost, whichever is
    first; None if nothing is planned."""
    action = order.details.get("completed_by")
    if action is None:
        return None
    here, at_provider = current_plan(order, action), _read_time(order.details.get("fulfilment_at"))
    times = [at_provider, here.planned_for if here else None]
    return min((one for one in times if one), default=None)


def read_done(report: Report, *, repeated: bool = False) -> ActionDone:
    """Read a report that ``make_report`` made."""
    said = report.details
    planned_for, answered = said.get("planned_for"), said.get("answered")
    return ActionDone(
        action=said["action"],
        key=said["action_key"],
        person=said.get("person", ""),
        result=_read_result(said.get("result")),
        at=report.occurred_at,
        outcome=said.get("outcome"),
        answered=None if answered is None else int(answered),
        planned_for=_read_time(planned_for),
        repeated=repeated,
    )


def _read_result(text: str | None) -> Result:
    return Result(text) if text else Result.DONE


def _read_time(text: str | None) -> datetime | None:
    try:
        return parse_instant(text) if text else None
    except BadPayload:
        return None
