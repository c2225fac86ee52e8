"""Batches of a queue: each message succeeds or fails by itself.

The few lines that a queue needs: Powertools' own come with every other event source of Lambda,
and with asyncio, which cost more at a cold start than everything of ours.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, TypeAlias

logger = logging.getLogger(__name__)

Message: TypeAlias = Mapping[str, Any]
"""A message as the event source mapping hands it over: ``messageId``, ``body``, ..."""


class Clock(Protocol):
    """What is left of the function's time, as Lambda's context tells it."""

    def get_remaining_time_in_millis(self) -> int: ...


def take_each(
    event: Mapping[str, Any],
    take: Callable[[Message], None],
    *,
    clock: Clock,
    least: timedelta,
    put_back: Callable[[Message], None] | None = None,
) -> dict[str, Any]:
    """Take the messages of a batch; the answer names those that have to come back.

    ``take`` fails by raising, which delays none of the others, and logs it itself.

    :param least: what has to be left of the function's time for a message to be begun. Those that
        are not begun come back: a message that is cut off half-way may be done twice.
    :param put_back: puts one that was not begun into its queue again, as a new message: so it comes
        back at once, and its tries are for failures. Without it, it comes back as one that failed
    """
    taken = take_in_time(event["Records"], take, clock=clock, least=least)
    if put_back is None:
        return come_back([*taken.failed, *(one["messageId"] for one in taken.left)])
    return come_back([*taken.failed, *find_failing(taken.left, put_back)])


@dataclass(frozen=True, slots=True)
class Taken:
    """The outcome of the messages of a batch that were not done."""

    failed: list[str]
    """Their ids."""
    left: list[Message]
    """Not begun, for want of time."""


def take_in_time(
    messages: Sequence[Message], take: Callable[[Message], None], *, clock: Clock, least: timedelta
) -> Taken:
    """Take messages while there is time; as ``take_each`` has it."""
    failed = list[str]()
    for position, message in enumerate(messages):
        if clock.get_remaining_time_in_millis() < least.total_seconds() * 1000:
            left = list(messages[position:])
            logger.warning("%s messages come back: the function's time is nearly up", len(left))
            return Taken(failed, left)
        failed += find_failing([message], take)
    return Taken(failed, [])


def find_failing(messages: Iterable[Message], take: Callable[[Message], None]) -> list[str]:
    """Take every message; the ids of those for which that raised."""
    return [one["messageId"] for one in messages if not _was_taken(one, take)]


def come_back(message_ids: Iterable[str]) -> dict[str, Any]:
    """The answer to an event source mapping by which these messages come back."""
    return {"batchItemFailures": [{"itemIdentifier": one} for one in message_ids]}


def _was_taken(message: Message, take: Callable[[Message], None]) -> bool:
    try:
        take(message)
    except Exception:
        return False
    return True
