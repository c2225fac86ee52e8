"""A batch of a queue, whose messages fail each for itself.

The few lines that a queue needs: Powertools' own come with every other event source of Lambda,
and with asyncio, which cost more at a cold start than everything of ours.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

Message: TypeAlias = Mapping[str, Any]
"""A message as the event source mapping hands it over: ``messageId``, ``body``, ..."""


def take_each(event: Mapping[str, Any], take: Callable[[Message], None]) -> dict[str, Any]:
    """Take every message of a batch; the answer names those that have to come back.

    ``take`` fails by raising, which delays none of the others, and logs it itself.
    """
    return come_back(find_failing(event["Records"], take))


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
