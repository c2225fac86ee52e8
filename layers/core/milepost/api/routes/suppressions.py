"""Suppressions: list addresses to which no mail may be sent, and lift a suppression."""

from typing import Annotated, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import Field

from milepost.api import text_patterns
from milepost.api.dependencies import Given, Services
from milepost.api.json_model import Shape
from milepost.api.openapi import may_answer
from milepost.api.pagination import BadCursor, Cursor, Limit, read_cursor, write_cursor
from milepost.api.path_parameters import decoded
from milepost.api.problems import Fault, NotFound, Problem
from milepost.notifications.notice import Audience
from milepost.notifications.suppression import (
    Suppression,
    SuppressionId,
    SuppressionPlace,
)

router = Router()

_LIST: Final = "suppressions"

SuppressionPath = Annotated[
    str,
    Path(
        description="A suppression's id, as `GET /suppressions` shows it: no address goes into a "
        "URL.",
        pattern=text_patterns.SUPPRESSION_ID,
        max_length=50,
    ),
]


class SuppressionView(Shape):
    """An address to which no mail may be sent."""

    id: str = Field(examples=["973dfe463ec85785f5f95af5ba3906ee"])
    address: str | None = Field(
        description="Unknown for a customer who unsubscribed by a link, and after an erasure."
    )
    audience: Audience | None = Field(
        description="The audience whose mails are suppressed; all audiences if absent."
    )
    reason: str
    since: str = Field(description="An instant in UTC.")


class SuppressionList(Shape):
    """A page of the list."""

    suppressions: list[SuppressionView] = Field(description="The newest first.")
    next: str | None = Field(description="The cursor of the next page; none after the last one.")


@router.get(
    "/suppressions",
    summary="Addresses to which no mail may be sent, the newest first",
    tags=["suppressions"],
    operation_id="list_suppressions",
    responses=may_answer(200),
)
def list_suppressions(
    services: Given,
    *,
    address: Annotated[
        str | None,
        Query(min_length=1, max_length=254, description="Only this one, in any spelling."),
    ] = None,
    limit: Limit = 50,
    cursor: Annotated[Cursor | None, Query(description="`next` of a page.")] = None,
) -> SuppressionList:
    suppressions = services.operations.suppressions
    if address is not None:
        if "@" not in address:
            what = "an email address has an @"
            raise Problem(422, f"{what}.", errors=[Fault(where="query.address", what=what)])
        found = suppressions.of_address(address)
        return SuppressionList(suppressions=[_view(one) for one in found], next=None)
    after = None if cursor is None else _place(cursor, services)
    page = suppressions.page(after=after, limit=services.rows(limit))
    return SuppressionList(
        suppressions=[_view(one) for one in page.suppressions],
        next=_cursor(page.last, services),
    )


@router.delete(
    "/suppressions/<suppression>",
    summary="Lift the suppression of an address, because a person says that it works",
    tags=["suppressions"],
    operation_id="lift_suppression",
    status_code=204,
    responses=may_answer(204, 404),
)
def lift_suppression(suppression: SuppressionPath, services: Given) -> Response[str]:
    id = SuppressionId.parse(decoded(suppression))
    if not services.operations.suppressions.lift(id, at=services.clock()):
        raise NotFound(f"There is no suppression {id}; /suppressions lists them.")
    return Response(status_code=204, body="")


def _view(one: Suppression) -> SuppressionView:
    return SuppressionView(
        id=str(one.id),
        address=one.address,
        audience=one.id.audience,
        reason=one.reason,
        since=one.since,
    )


def _place(cursor: str, services: Services) -> SuppressionPlace:
    said = read_cursor(cursor, of_list=_LIST, keys=services.cursor_keys.keys())
    try:
        listed_at, shard, id = said
        return SuppressionPlace(listed_at, shard, SuppressionId.parse(id))
    except (TypeError, ValueError):
        # Signed by another version of Milepost.
        raise BadCursor from None


def _cursor(place: SuppressionPlace | None, services: Services) -> str | None:
    if place is None:
        return None
    said = [place.listed_at, place.shard, str(place.id)]
    return write_cursor(said, of_list=_LIST, keys=services.cursor_keys.keys())
