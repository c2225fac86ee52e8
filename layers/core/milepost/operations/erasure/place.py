"""A place that may hold a customer's data, and what was found there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from milepost.operations.erasure.subject import Subject


class PlaceNotRead(Exception):
    """A place could not be searched; the message says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Data that may belong to the customer and that a person has to check: where it is, and why."""

    place: str
    where: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """The customer's data in a place: ids of data that was (or would be) removed, and of data that
    is left.
    """

    removed: Sequence[str] = ()
    left: Sequence[Left] = ()
    is_whole: bool = True
    """False if there was no time to search all of it."""


class Place(Protocol):
    """A place that may hold data of a customer."""

    name: str

    def sweep(self, subject: Subject, *, dry_run: bool) -> Swept:
        """Remove data that is known to be theirs; with ``dry_run``, only list it.

        :raises PlaceNotRead: when a part of it can't be searched now
        """
        ...


class Budget(Protocol):
    """The time limit of an erasure."""

    def start(self) -> None: ...

    def has_time(self) -> bool:
        """Whether there is time to continue the search of a place."""
        ...
