"""Activity: who changed what, and when."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from milepost.activity.command_kinds import OF_THE_COMMAND
from milepost.activity.entry import Entry, Outcome, Place, Via, Wanted
from milepost.api.change_recording import kinds_of_routes
from milepost.api.days import Day
from milepost.api.dependencies import Given, Services
from milepost.api.filters import check_connections, unknown
from milepost.api.json_model import Shape
from milepost.api.openapi import may_answer
from milepost.api.pagination import BadCursor, Cursor, Limit, read_cursor, write_cursor
from milepost.api.path_parameters import named_order
from milepost.api.problems import Fault, Problem
from milepost.common.strict_json import canonical_json
from milepost.common.timestamps import format_instant, parse_instant
from milepost.orders.order import BadOrderId, OrderKey

router = Router()

_BACK: Final = timedelta(days=30)
"""How far back a list goes without a first day."""

Text = Annotated[str, Field(min_length=1, max_length=300)]


class ActivityView(Shape):
    """One change that a person or token made or tried to make."""

    id: str
    at: str = Field(description="When it began.")
    person: str
    subject: str = Field(description="The token's `sub`; `aws:` and an identity for the command.")
    kind: str = Field(description="What was done.", examples=["perform_action"])
    outcome: Outcome = Field(
        description="`started`: its end could not be recorded, so it may have "
        "been done. `refused`: nothing was changed. `failed`: part "
        "of it may have been done."
    )
    status: int | None = Field(description="The HTTP status of the response.")
    via: Via
    address: str | None = Field(description="The IP address that it came from, where known.")
    targets: dict[str, str] = Field(
        description="The ids of its targets. A customer's id is a hash.",
        examples=[{"connection": "offergrid-main", "order": "offergrid-main:ord_1:item_1"}],
    )
    arguments: dict[str, bool | None] = Field(
        description="The parameters of the request: the values of switches, "
        "the names of the others."
    )
    before: dict[str, Any] | None = Field(description="The values before the change.")
    after: dict[str, Any] | None = Field(description="The values after the change.")


class ActivityList(Shape):
    """A page of changes, the latest first."""

    entries: list[ActivityView]
    next: str | None = Field(
        description="The cursor of the next page; none after the last one. A page may be short, "
        "even empty, and still have a next one."
    )


@router.get(
    "/activity",
    summary="Who changed what, and when",
    tags=["activity"],
    operation_id="list_activity",
    responses=may_answer(200, 404, 409),
)
def list_activity(
    services: Given,
    *,
    person: Annotated[Text | None, Query(description="A user name, or an identity at AWS.")] = None,
    order: Annotated[
        Text | None, Query(description="An order, by any name that `/order-ids` takes.")
    ] = None,
    kind: Annotated[Text | None, Query(description="Such as `perform_action`.")] = None,
    connection: Annotated[list[Text] | None, Query(description="One or several.")] = None,
    outcome: Annotated[Outcome | None, Query()] = None,
    first_day: Annotated[
        Day | None, Query(alias="from", description="First day (UTC); 30 days ago if absent.")
    ] = None,
    last_day: Annotated[
        Day | None, Query(alias="to", description="Last day (UTC); today if absent.")
    ] = None,
    limit: Limit = 50,
    cursor: Annotated[Cursor | None, Query(description="`next` of a page.")] = None,
) -> ActivityList:
    first, last = _days(first_day, last_day, now=services.clock())
    wanted = Wanted(
        person=person,
        order=None if order is None else _order_id(order, services),
        kind=kind,
        outcome=outcome,
        connections=frozenset(connection) if connection else None,
        first_day=first,
        last_day=last,
    )
    # Without given days, the days of a list move on; its cursor stays valid.
    filters = [person, order, kind, sorted(connection or ()), outcome, first_day, last_day]
    name = canonical_json(["activity", *(str(one) for one in filters)])
    after = _continue(cursor, name, services) if cursor is not None else None
    found, place = services.activity.find(wanted, after=after, limit=services.rows(limit))
    if not found and place is None and cursor is None:
        _check_values(wanted, order, services)
    return ActivityList(
        entries=[activity_view(one) for one in found], next=_cursor(place, name, services)
    )


def _order_id(text: str, services: Services) -> str:
    """An order's id as entries have it, whether the order still exists or not."""
    try:
        key = OrderKey.parse(text)
    except BadOrderId:
        key = named_order(text, services)
    return key.path_id


def _check_values(wanted: Wanted, order: str | None, services: Services) -> None:
    """Check that filters that found nothing have known values. The log also has entries of orders,
    connections and kinds that exist no longer.

    :raises Problem: 422 with the known values; 404 or 409 for an order
    """
    if wanted.kind is not None:
        kinds = OF_THE_COMMAND | kinds_of_routes()
        if wanted.kind not in kinds:
            raise unknown("kind", wanted.kind, kinds)
    check_connections(wanted.connections, services)
    if order is not None:
        named_order(order, services)


def _days(first: date | None, last: date | None, *, now: datetime) -> tuple[date, date]:
    end = last or now.date()
    begin = first or end - _BACK
    if end < begin:
        what = "`to` is a day before `from`"
        raise Problem(422, f"{what}.", errors=[Fault(where="query.to", what=what)])
    return begin, end


def _continue(cursor: str, name: str, services: Services) -> Place:
    said = read_cursor(cursor, of_list=name, keys=services.cursor_keys.keys())
    try:
        at, entry_id = said
        return Place(parse_instant(at), str(entry_id))
    except (TypeError, ValueError):
        raise BadCursor from None


def _cursor(place: Place | None, name: str, services: Services) -> str | None:
    if place is None:
        return None
    said = [format_instant(place.at), place.id]
    return write_cursor(said, of_list=name, keys=services.cursor_keys.keys())


def activity_view(entry: Entry) -> ActivityView:
    """An entry as the API shows it."""
    return ActivityView(
        id=entry.id,
        at=format_instant(entry.at),
        person=entry.actor.person,
        subject=entry.actor.subject,
        kind=entry.kind,
        outcome=entry.outcome,
        status=entry.status,
        via=entry.via,
        address=entry.address,
        targets=dict(entry.targets),
        arguments=dict(entry.arguments),
        before=None if entry.before is None else dict(entry.before),
        after=None if entry.after is None else dict(entry.after),
    )
