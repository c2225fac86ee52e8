"""Batches of SQS messages: each message succeeds or fails separately.

Powertools' batch utility imports all event sources of Lambda, and asyncio, which takes longer at a
cold start than all of Milepost's own code (decision 40).
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Protocol, TypeAlias

from milepost.common.side_by_side import SideBySide

logger = logging.getLogger(__name__)

Message: TypeAlias = Mapping[str, Any]
"""A message as the event source mapping passes it: ``messageId``, ``body``, ..."""


class Clock(Protocol):
    """The function's remaining time; Lambda's context implements it."""

    def get_remaining_time_in_millis(self) -> int: ...


def take_each(
    event: Mapping[str, Any],
    take: Callable[[Message], None],
    *,
    clock: Clock,
    least: timedelta,
    put_back: Callable[[Message], None] | None = None,
) -> dict[str, Any]:
    """Process the messages of a batch; returns the response with the messages to redeliver.

    ``take`` raises an exception on a failure, and logs it; the other messages are not affected.

    :param least: the remaining time that is needed to start with a message. Messages that are not
        started are redelivered: one that is interrupted might be processed twice.
    :param put_back: sends a message that was not started to its queue again, as a new message, so
    that it
        is redelivered immediately and uses up none of its attempts. Without it, the message is
        redelivered like one that failed
    """
    taken = take_in_time(event["Records"], take, clock=clock, least=least)
    if put_back is None:
        return come_back([*taken.failed, *(one["messageId"] for one in taken.left)])
    return come_back([*taken.failed, *find_failing(taken.left, put_back)])


@dataclass(frozen=True, slots=True)
class Taken:
    """The messages of a batch that were not processed."""

    failed: list[str]
    """The ids of messages that failed."""
    left: list[Message]
    """Messages that were not started, for lack of time."""


def take_in_time(
    messages: Sequence[Message], take: Callable[[Message], None], *, clock: Clock, least: timedelta
) -> Taken:
    """Process messages while there is time; parameters as for ``take_each``."""
    failed = list[str]()
    for position, message in enumerate(messages):
        if clock.get_remaining_time_in_millis() < least.total_seconds() * 1000:
            left = list(messages[position:])
            logger.warning(
                "%s messages are redelivered: the function's time is nearly up", len(left)
            )
            return Taken(failed, left)
        failed += find_failing([message], take)
    return Taken(failed, [])


def take_groups_in_time(
    groups: Sequence[Sequence[Message]],
    take: Callable[[Message], None],
    *,
    side_by_side: SideBySide,
    clock: Clock,
    least: timedelta,
) -> Taken:
    """Process groups of messages in parallel, and the messages of a group one after the other,
    while there is time.

    :param take: may be called for messages of several groups at a time
    """
    taken = [Taken([], [*group]) for group in groups]

    def take_group(place: int) -> None:
        taken[place] = take_in_time(groups[place], take, clock=clock, least=least)

    side_by_side([partial(take_group, place) for place in range(len(groups))])
    return Taken(
        [one for each in taken for one in each.failed], [one for each in taken for one in each.left]
    )


def find_failing(messages: Iterable[Message], take: Callable[[Message], None]) -> list[str]:
    """Process every message; returns the ids of messages that failed."""
    return [one["messageId"] for one in messages if not _was_taken(one, take)]


def come_back(message_ids: Iterable[str]) -> dict[str, Any]:
    """The response to an event source mapping that causes these messages to be redelivered."""
    return {"batchItemFailures": [{"itemIdentifier": one} for one in message_ids]}


def _was_taken(message: Message, take: Callable[[Message], None]) -> bool:
    try:
        take(message)
    except Exception:
        return False
    return True
