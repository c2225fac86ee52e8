"""A place that may hold a customer's data, and what was found there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from milepost.operations.erasure.subject import Subject


class PlaceNotRead(Exception):
    """A place could not be looked through; the message says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Something that may be the customer's and that a person has to look at: where, and why."""

    place: str
    where: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a place had of the customer: ids of what was (or would be) removed, and what is left."""

    removed: Sequence[str] = ()
    left: Sequence[Left] = ()
    is_whole: bool = True
    """False when there was no time to look through all of it."""


class Place(Protocol):
    """A place that may hold something of a customer."""

    name: str

    def sweep(self, subject: Subject, *, dry_run: bool) -> Swept:
        """Remove what is known to be theirs; with ``dry_run`` only say what that would be.

        :raises PlaceNotRead: when a part of it can't be looked at just now
        """
        ...


class Budget(Protocol):
    """The time that an erasure has."""

    def start(self) -> None: ...

    def has_time(self) -> bool:
        """Whether a place that is looked through bit by bit may go on."""
        ...
