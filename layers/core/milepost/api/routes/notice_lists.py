"""Lists of notices across orders: who was not notified and why, what bounced, who got what."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from milepost.api.dependencies import Given, Services
from milepost.api.filters import ConnectionFilter, Text, check_connections
from milepost.api.instants import Instant
from milepost.api.json_model import Shape
from milepost.api.notice_schema import NoticeView, notice_view
from milepost.api.openapi import may_answer
from milepost.api.pagination import BadCursor, Cursor, Limit, read_cursor, write_cursor
from milepost.api.problems import Fault, Problem
from milepost.common.strict_json import canonical_json
from milepost.common.timestamps import format_instant
from milepost.notifications.notice import Audience, Channel, State
from milepost.notifications.notice_list import NoticePlace, WantedNotices
from milepost.orders.order import Kind

router = Router()


class NoticeList(Shape):
    """A page of a list of notices."""

    notices: list[NoticeView] = Field(
        description="The newest first, by the time at which each entered its "
        "state; queued, sent and delivered notices by the time at "
        "which they were created."
    )
    next: str | None = Field(
        description="The cursor of the next page; none after the last one. A page may be short, "
        "even empty, and still have a next one."
    )


@router.get(
    "/notices",
    summary="Notices of every order, the newest first",
    tags=["notices"],
    operation_id="list_notices",
    responses=may_answer(200),
)
def list_notices(
    services: Given,
    *,
    state: Annotated[
        list[State] | None,
        Query(
            description="One or several. Notices that nobody received are "
            "`skipped`, `suppressed`, `failed` and `bounced`."
        ),
    ] = None,
    reason: Annotated[
        Text | None, Query(description="Text that the reason contains; case makes no difference.")
    ] = None,
    audience: Annotated[Audience | None, Query()] = None,
    kind: Annotated[list[Kind] | None, Query(description="One or several.")] = None,
    channel: Annotated[Channel | None, Query()] = None,
    connection: ConnectionFilter = None,
    recipient: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=2000,
            description="An email address in any spelling, an endpoint's URL, or a topic.",
        ),
    ] = None,
    since: Annotated[Instant | None, Query(description="At this instant or later.")] = None,
    until: Annotated[Instant | None, Query(description="Before this instant.")] = None,
    limit: Limit = 50,
    cursor: Annotated[Cursor | None, Query(description="`next` of a page.")] = None,
) -> NoticeList:
    if since and until and until <= since:
        what = "`until` is not after `since`"
        raise Problem(422, f"{what}.", errors=[Fault(where="query.until", what=what)])
    check_connections(connection, services)
    wanted = WantedNotices(
        states=frozenset(state or ()),
        kinds=frozenset(kind or ()),
        connections=frozenset(connection or ()),
        audience=audience,
        channel=channel,
        recipient=recipient,
        reason=reason,
        since=since,
        until=until,
    )
    name = _name_of(wanted)
    after = None if cursor is None else _place(cursor, name, services)
    page = services.notice_lists.page(wanted, after=after, limit=services.rows(limit))
    return NoticeList(
        notices=[notice_view(one) for one in page.entries],
        next=_cursor(page.last, name, services),
    )


def _name_of(wanted: WantedNotices) -> str:
    """The identity of the list: cursors of other lists are refused."""
    filters: list[Any] = [
        "notices",
        sorted(wanted.states),
        sorted(wanted.kinds),
        sorted(wanted.connections),
        wanted.audience,
        wanted.channel,
        wanted.recipient,
        wanted.reason,
        format_instant(wanted.since) if wanted.since else None,
        format_instant(wanted.until) if wanted.until else None,
    ]
    return canonical_json(filters)


def _place(cursor: str, name: str, services: Services) -> NoticePlace:
    said = read_cursor(cursor, of_list=name, keys=services.cursor_keys.keys())
    try:
        return NoticePlace(*said)
    except TypeError:
        # Signed by another version of Milepost.
        raise BadCursor from None


def _cursor(place: NoticePlace | None, name: str, services: Services) -> str | None:
    if place is None:
        return None
    said = [place.listed_at, place.shard, place.notice]
    return write_cursor(said, of_list=name, keys=services.cursor_keys.keys())
