"""Dead letters: messages that failed every retry, shown, redriven or discarded."""

import json
from collections.abc import Collection, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

MOST_AT_ONCE: Final = 500
"""Messages that one redrive moves, so that it ends while its caller waits."""


IN_FLIGHT: Final = "somebody else has it at the moment: repeat it in a minute"
"""Why a message that is perhaps there was not redriven."""


class UnknownQueue(LookupError):
    """No dead-letter queue has this name."""


class MessagesInFlight(Exception):
    """Not every letter could be seen: somebody else has some of them, for a minute at most."""


class CannotRedrive(Exception):
    """This message can't be redriven now; the message says why, without its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One message. ``attributes`` are those that its sender gave it."""

    id: str
    body: str
    sent_at: datetime
    attributes: Mapping[str, str] = field(default_factory=dict)
    receipt: str = field(default="", repr=False, compare=False)


class Letters(Protocol):
    """One dead-letter queue."""

    def count(self) -> int:
        """About how many wait there."""
        ...

    def walk(self, *, most: int, whole: bool = False) -> Generator[DeadLetter, None, None]:
        """Each once, nobody else seeing it meanwhile; what was not removed is there afterwards.
        Whoever stops before its end closes it.

        :raises MessagesInFlight: at its end, if it was to be ``whole`` and was not
        """
        ...

    def remove(self, letter: DeadLetter) -> None: ...


class RedriveTarget(Protocol):
    """By which the letters of one queue are done after all."""

    def content(self, letter: DeadLetter) -> Any:
        """What it is about, to be looked at: a JSON value, or text."""
        ...

    def take_up(self, letter: DeadLetter) -> None:
        """Have it done again. Twice is no harm: whoever does it knows what was done.

        :raises CannotRedrive: when it has to stay where it is
        """
        ...

    def forget(self, letter: DeadLetter) -> None:
        """Remove what is kept of it elsewhere, now that it is done or given up."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Redriven:
    """What a redrive came to: ``failed`` has the reason of each letter that stays, by its id."""

    moved: int
    failed: Mapping[str, str]
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterQueue:
    """A queue by its name in the API, and the way back."""

    name: str
    letters: Letters
    way: RedriveTarget

    def redrive(self, *, only: Collection[str] | None = None, most: int = MOST_AT_ONCE) -> Redriven:
        """Take up all of them, or ``only`` those of these ids.

        :raises MessagesInFlight: when nothing was done, since somebody else has them
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
        return Redriven(moved=moved, failed=failed, left=self.letters.count())

    def discard(self, letter_id: str, *, most: int = MOST_AT_ONCE) -> bool:
        """Give one up for good; False when it isn't there.

        :raises MessagesInFlight: when it wasn't found, and somebody else may have it
        """
        with closing(self.letters.walk(most=most, whole=True)) as letters:
            for letter in letters:
                if letter.id == letter_id:
                    self.give_up(letter)
                    return True
        return False

    def give_up(self, letter: DeadLetter) -> None:
        """Remove one for good, while it is in the walker's hands."""
        # What is kept elsewhere goes first: without its letter nobody would find it.
        self.way.forget(letter)
        self.letters.remove(letter)


def read_payload(record: Mapping[str, Any]) -> Any:
    """What Lambda was to hand to the function: an object in one place of AWS's documentation, a
    text in another. Both are read."""
    payload = record["payload"]
    return json_or_text(payload) if isinstance(payload, str) else payload


def json_or_text(text: str) -> Any:
    """The value of JSON; other text as it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text
