"""Stays: how long orders were in a stage, and when they ended. Short: tables and curves share it.

Times are seconds of any one clock: the calendar's, or one that runs in business time alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Stays of several orders (``number``) that entered a stage at the same time and left it at the
    same time.

    ``left`` is None while they are in the stage, ``ended`` while their order is open.
    ``completed`` says of an order that ended whether it was a success: completed or active.
    """

    stage: str
    entered: float
    left: float | None = None
    ended: float | None = None
    completed: bool = True
    connection: str = ""
    service_type: str = ""
    number: int = 1


def as_of(stays: Iterable[Stay], moment: float) -> Iterator[Stay]:
    """The stays as they were known at a time, without anything that happened later."""
    for one in stays:
        if one.entered >= moment:
            continue
        left = one.left if one.left is not None and one.left < moment else None
        ended = one.ended if one.ended is not None and one.ended < moment else None
        if left is one.left and ended is one.ended:
            yield one
        else:
            yield replace(one, left=left, ended=ended)
