"""The quarantine: list payloads with their reasons, read one, reprocess them."""

from base64 import b64encode
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from pydantic import ConfigDict, Field

from milepost.api import text_patterns
from milepost.api.auth import check_operator
from milepost.api.dependencies import Given, Who
from milepost.api.filters import check_connections
from milepost.api.instants import Instant
from milepost.api.json_model import Shape
from milepost.api.openapi import may_answer
from milepost.api.pagination import Limit
from milepost.api.path_parameters import decoded
from milepost.api.problems import NotFound, Problem
from milepost.common.timestamps import format_instant
from milepost.quarantine.replay import BadKeptId, Kept, KeptId, NotKept
from milepost.webhooks.receiver import InboxRefused

router = Router()

MOST_REPLAYED: Final = 200
"""Maximum number of payloads that one request reprocesses; the response says where to continue."""

KeptPath = Annotated[
    str,
    Path(
        description="An id of the quarantine: `connection:day:digest`.",
        pattern=text_patterns.KEPT_ID,
        max_length=200,
    ),
]
Since = Annotated[Instant | None, Query(description="Received at this instant or later.")]
Until = Annotated[Instant | None, Query(description="Received before this instant.")]


class KeptView(Shape):
    """A payload that could not be read: a webhook, or one order of a poll."""

    id: str
    connection: str
    source: str = Field(description="`webhook` or `poll`.")
    reason: str
    received_at: str
    bytes: int


class KeptBodyView(KeptView):
    """The same with its bytes."""

    base64: str
    text: str | None = Field(description="The bytes as text, if they are UTF-8.")


class KeptList(Shape):
    """A page of the quarantine, by connection and day."""

    items: list[KeptView]
    next: str | None = Field(description="The `after` of the next page.")


class ReplayOne(Shape):
    """How to reprocess a payload."""

    model_config = ConfigDict(extra="forbid")

    announce: bool = Field(default=False, description="Whether people are notified of the changes.")


class ReplayMany(ReplayOne):
    """Which payloads to reprocess: those that one connection received in a period."""

    connection: str = Field(min_length=1, max_length=64)
    since: Instant | None = None
    until: Instant | None = None
    after: str | None = Field(default=None, description="`next` of the response before.")


class ReplayedView(Shape):
    """How many payloads were put back into the inbox; with ``next`` there are more."""

    replayed: int
    next: str | None


@router.get(
    "/quarantine",
    summary="List payloads that could not be read",
    tags=["quarantine"],
    operation_id="list_quarantine",
    responses=may_answer(200),
)
def list_quarantine(  # noqa: PLR0917 - the resolver gives all by name
    services: Given,
    connection: Annotated[str | None, Query(min_length=1, max_length=64)] = None,
    since: Since = None,
    until: Until = None,
    after: Annotated[str | None, Query(max_length=200, description="`next` of a page.")] = None,
    limit: Limit = 25,
) -> KeptList:
    if connection is not None:
        check_connections([connection], services)
    found: list[Kept] = []
    walk = services.operations.quarantine.walk(
        connection_id=connection, since=since, until=until, after=_after(after)
    )
    for kept in walk:
        if len(found) == services.rows(limit):
            return KeptList(items=_views(found), next=found[-1].id.path_id)
        found.append(kept)
    return KeptList(items=_views(found), next=None)


@router.get(
    "/quarantine/<kept>",
    summary="One payload, byte for byte; for operators",
    tags=["quarantine"],
    operation_id="show_quarantined",
    responses=may_answer(200, 404),
)
def show_quarantined(kept: KeptPath, services: Given, caller: Who) -> KeptBodyView:
    kept_id = _kept_id(kept)
    if services.narrowed_to is None or kept_id.connection in services.narrowed_to:
        check_operator(caller, connection=kept_id.connection)
    try:
        found, body = services.operations.quarantine.get(kept_id)
    except NotKept as error:
        raise NotFound(f"{error}.") from None
    return KeptBodyView(**_fields(found), base64=b64encode(body).decode(), text=_text(body))


@router.post(
    "/quarantine/<kept>/replay",
    summary="Reprocess one payload; it leaves the quarantine once it is recorded",
    tags=["quarantine"],
    operation_id="replay_quarantined",
    status_code=202,
    responses=may_answer(202, 404),
)
def replay_quarantined(
    kept: KeptPath, services: Given, asked: Annotated[ReplayOne | None, Body()] = None
) -> KeptView:
    announce = asked.announce if asked else False
    try:
        found = services.operations.replay.one(
            _kept_id(kept), announce=announce, now=services.clock()
        )
    except NotKept as error:
        raise NotFound(f"{error}.") from None
    except InboxRefused:
        raise _busy() from None
    return _view(found)


@router.post(
    "/quarantine/replay",
    summary="Reprocess the payloads that a connection received in a period",
    tags=["quarantine"],
    operation_id="replay_quarantine",
    status_code=202,
    responses=may_answer(202),
)
def replay_quarantine(services: Given, asked: Annotated[ReplayMany, Body()]) -> ReplayedView:
    try:
        done = services.operations.replay.many(
            connection_id=asked.connection,
            since=asked.since,
            until=asked.until,
            after=_after(asked.after),
            most=MOST_REPLAYED,
            announce=asked.announce,
            now=services.clock(),
        )
    except InboxRefused:
        raise _busy() from None
    following = done.go_on_after.path_id if done.go_on_after else None
    return ReplayedView(replayed=done.count, next=following)


@router.delete(
    "/quarantine/<kept>",
    summary="Give one up",
    tags=["quarantine"],
    operation_id="discard_quarantined",
    status_code=204,
    responses=may_answer(204, 404),
)
def discard_quarantined(kept: KeptPath, services: Given) -> Response[str]:
    kept_id = _kept_id(kept)
    try:
        services.operations.quarantine.get(kept_id)
    except NotKept as error:
        raise NotFound(f"{error}.") from None
    services.operations.quarantine.remove(kept_id)
    return Response(status_code=204, body="")


def _kept_id(text: str) -> KeptId:
    try:
        return KeptId.parse(decoded(text))
    except BadKeptId as error:
        raise NotFound(f"{error}.") from None


def _after(text: str | None) -> KeptId | None:
    if text is None:
        return None
    try:
        return KeptId.parse(text)
    except BadKeptId:
        raise Problem(422, "`after` is not a `next` of a page: start without it.") from None


def _busy() -> Problem:
    return Problem(503, "The inbox queue accepted nothing: try again later.")


def _text(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _views(found: list[Kept]) -> list[KeptView]:
    return [_view(one) for one in found]


def _view(kept: Kept) -> KeptView:
    return KeptView(**_fields(kept))


def _fields(kept: Kept) -> dict[str, Any]:
    return {
        "id": kept.id.path_id,
        "connection": kept.id.connection,
        "source": str(kept.source),
        "reason": kept.reason,
        "received_at": format_instant(kept.received_at),
        "bytes": kept.size,
    }
