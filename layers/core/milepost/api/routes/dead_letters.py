"""Dead letters: count them by queue, read them, redrive them, delete one."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from pydantic import ConfigDict, Field

from milepost.api import text_patterns
from milepost.api.auth import check_operator
from milepost.api.dependencies import Given, Who
from milepost.api.json_model import Shape
from milepost.api.openapi import may_answer
from milepost.api.pagination import MOST_IN_A_SMALL_PAGE
from milepost.api.problems import Conflict, NotFound
from milepost.common.timestamps import format_instant
from milepost.operations.dead_letters import DeadLetterQueue, MessagesInFlight
from milepost.operations.services import Operations

router = Router()

QueuePath = Annotated[
    str,
    Path(
        description="A queue by its name in the list.", pattern=text_patterns.ACTION, max_length=40
    ),
]
MessagePath = Annotated[str, Path(description="A message's id.", max_length=100)]


class QueueView(Shape):
    """A dead-letter queue."""

    name: str
    waiting: int = Field(description="The approximate number of messages in the queue.")


class QueueList(Shape):
    """All dead-letter queues."""

    items: list[QueueView]


class MessageView(Shape):
    """Messages that failed every retry."""

    id: str
    sent_at: str
    content: Any


class QueueContents(QueueView):
    """A queue with some of its messages."""

    messages: list[MessageView]


class Redrive(Shape):
    """Which messages to redrive: all, if none are named."""

    model_config = ConfigDict(extra="forbid")

    messages: list[str] | None = Field(default=None, max_length=500)


class StayedView(Shape):
    """A message that could not be redriven."""

    message: str
    reason: str


class RedrivenView(Shape):
    """The result of a redrive."""

    moved: int
    failed: list[StayedView]
    left: int = Field(description="The approximate number of messages that are left in the queue.")


@router.get(
    "/dead-letters",
    summary="The number of dead letters in each queue",
    tags=["dead letters"],
    operation_id="list_dead_letters",
    responses=may_answer(200),
)
def list_dead_letters(services: Given) -> QueueList:
    queues = services.operations.dead_letters
    return QueueList(
        items=[QueueView(name=one.name, waiting=one.letters.count()) for one in queues]
    )


@router.get(
    "/dead-letters/<queue>",
    summary="Messages of a dead-letter queue; for operators",
    tags=["dead letters"],
    operation_id="show_dead_letters",
    responses=may_answer(200, 404),
)
def show_dead_letters(
    queue: QueuePath,
    services: Given,
    caller: Who,
    limit: Annotated[int, Query(ge=1, le=MOST_IN_A_SMALL_PAGE)] = 10,
) -> QueueContents:
    check_operator(caller)
    found = _queue(services.operations, queue)
    messages = [
        MessageView(
            id=letter.id,
            sent_at=format_instant(letter.sent_at),
            content=found.way.content(letter),
        )
        for letter in found.letters.walk(most=limit)
    ]
    return QueueContents(name=found.name, waiting=found.letters.count(), messages=messages)


@router.post(
    "/dead-letters/<queue>/redrive",
    summary="Redrive messages, at most 500 at a time",
    tags=["dead letters"],
    operation_id="redrive_dead_letters",
    responses=may_answer(200, 404, 409),
)
def redrive_dead_letters(
    queue: QueuePath, services: Given, asked: Annotated[Redrive | None, Body()] = None
) -> RedrivenView:
    found = _queue(services.operations, queue)
    try:
        done = found.redrive(only=asked.messages if asked else None)
    except MessagesInFlight:
        raise _in_flight(queue) from None
    failed = [StayedView(message=one, reason=why) for one, why in done.failed.items()]
    return RedrivenView(moved=done.moved, failed=failed, left=done.left)


@router.delete(
    "/dead-letters/<queue>/messages/<message>",
    summary="Give one up",
    tags=["dead letters"],
    operation_id="discard_dead_letter",
    status_code=204,
    responses=may_answer(204, 404, 409),
)
def discard_dead_letter(queue: QueuePath, message: MessagePath, services: Given) -> Response[str]:
    found = _queue(services.operations, queue)
    try:
        was_there = found.discard(message)
    except MessagesInFlight:
        raise _in_flight(queue) from None
    if not was_there:
        raise NotFound(f"There is no message {message} in {queue}.")
    return Response(status_code=204, body="")


def _in_flight(queue: str) -> Conflict:
    return Conflict(
        f"Messages of {queue} are in flight, because somebody else reads, "
        "redrives or deletes them. Nothing was changed: repeat the request in "
        "a minute."
    )


def _queue(operations: Operations, name: str) -> DeadLetterQueue:
    found = operations.dead_letter_queue(name)
    if found is None:
        names = ", ".join(one.name for one in operations.dead_letters)
        raise NotFound(f"There is no dead-letter queue {name}: there are {names}.")
    return found
