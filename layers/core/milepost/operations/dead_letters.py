"""Dead letters: messages that failed every retry; they are listed, redriven or discarded."""

import json
from collections.abc import Collection, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

MOST_AT_ONCE: Final = 500
"""Maximum number of messages of one redrive, so that it ends while its caller waits."""


NOT_THERE: Final = "it was not found in the queue: it may have been redriven or discarded"
IN_FLIGHT: Final = "it is in flight, because somebody else has received it: try again in a minute"
"""The reason for a message that may exist but was not redriven."""


class UnknownQueue(LookupError):
    """No dead-letter queue has this name."""


class MessagesInFlight(Exception):
    """Some messages are in flight: another process has received them, for a minute at most."""


class CannotRedrive(Exception):
    """This message can't be redriven now. The error's text says why, without the message's
    content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One message. ``attributes`` are the message attributes that its sender set."""

    id: str
    body: str
    sent_at: datetime
    attributes: Mapping[str, str] = field(default_factory=dict)
    receipt: str = field(default="", repr=False, compare=False)


class Letters(Protocol):
    """One dead-letter queue."""

    def count(self) -> int:
        """The approximate number of letters."""
        ...

    def walk(self, *, most: int, whole: bool = False) -> Generator[DeadLetter, None, None]:
        """Receive each message once. Other processes can't receive it in the meantime. Messages
        that are not removed stay in the queue. A caller that stops before the end has to close the
        iterator.

        :raises MessagesInFlight: at the end, if ``whole`` and some letters are in flight
        """
        ...

    def remove(self, letter: DeadLetter) -> None: ...


class RedriveTarget(Protocol):
    """The target to which messages of one queue are redriven."""

    def content(self, letter: DeadLetter) -> Any:
        """The content of a message, to be shown: a JSON value, or text."""
        ...

    def take_up(self, letter: DeadLetter) -> None:
        """Reprocess the message. Repeating this is harmless, since processing is idempotent.

        :raises CannotRedrive: when it has to stay in the queue
        """
        ...

    def forget(self, letter: DeadLetter) -> None:
        """Remove what is stored of the message outside of its queue, after it was redriven or
        discarded.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Redriven:
    """The result of a redrive: ``failed`` has the reason for each message that stays in the queue,
    by its id.
    """

    moved: int
    failed: Mapping[str, str]
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterQueue:
    """A queue by its name in the API, and the target of its redrives."""

    name: str
    letters: Letters
    way: RedriveTarget

    def redrive(self, *, only: Collection[str] | None = None, most: int = MOST_AT_ONCE) -> Redriven:
        """Redrive all messages, or only the messages with the ids in ``only``.

        :raises MessagesInFlight: when nothing was redriven, since somebody else has received them
        """
        moved, failed, seen = 0, dict[str, str](), set[str]()
        try:
            for letter in self.letters.walk(most=most, whole=True):
                seen.add(letter.id)
                if only is not None and letter.id not in only:
                    continue
                try:
                    self.way.take_up(letter)
                except CannotRedrive as why:
                    failed[letter.id] = str(why)
                    continue
                self.give_up(letter)
                moved += 1
        except MessagesInFlight:
            unseen = set(only or ()) - seen
            if not (moved or failed or unseen):
                raise
            failed |= dict.fromkeys(sorted(unseen), IN_FLIGHT)
        else:
            failed |= dict.fromkeys(sorted(set(only or ()) - seen), NOT_THERE)
        return Redriven(moved=moved, failed=failed, left=self.letters.count())

    def discard(self, letter_id: str, *, most: int = MOST_AT_ONCE) -> bool:
        """Discard a message permanently; False if it doesn't exist.

        :raises MessagesInFlight: when it wasn't found, and somebody else may have received it
        """
        with closing(self.letters.walk(most=most, whole=True)) as letters:
            for letter in letters:
                if letter.id == letter_id:
                    self.give_up(letter)
                    return True
        return False

    def give_up(self, letter: DeadLetter) -> None:
        """Remove a message permanently, while this process has received it."""
        # Data outside of the queue is removed first: without its message, it would not be found.
        self.way.forget(letter)
        self.letters.remove(letter)


def read_payload(record: Mapping[str, Any]) -> Any:
    """The function's input. The AWS documentation shows it as an object in one place and as a text
    in another, so both are read."""
    payload = record["payload"]
    return json_or_text(payload) if isinstance(payload, str) else payload


def json_or_text(text: str) -> Any:
    """The JSON value of a text; any other text unchanged."""
    try:
        return json.loads(text)
    except ValueError:
        return text
