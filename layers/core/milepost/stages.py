"""Stages: the statuses that an order was in and has left, and for how long it was there."""

from collections.abc import Iterator, Sequence
from typing import Final

from milepost.order import Effect, Entry, Order, Stage, Summary
from milepost.report import Status

MOVING: Final = frozenset({Effect.MOVED, Effect.CONTINUED, Effect.CORRECTED})
"""Effects of reports by which an order left one status for another."""


def finished_stages(order: Order) -> tuple[Stage, ...]:
    """The order's finished stages, in the order in which it left them.

    Statuses that were skipped are not among them, nor is the one that it is in, nor the time
    before anything understandable was said.
    """
    return tuple(stages_in(order.timeline, order.summary))


def stages_in(entries: Sequence[Entry], summary: Summary | None) -> Iterator[Stage]:
    """The stages that were finished before these entries of a timeline, and in them.

    :param summary: what came before the entries, if anything did
    """
    status, since = Status.UNKNOWN, entries[0].report.occurred_at
    if summary is not None:
        yield from summary.stages
        status, since = summary.status, summary.since
    for entry in entries:
        if entry.effect not in MOVING or entry.report.status is None:
            continue
        left = entry.report.status_since or entry.report.occurred_at
        if status is not Status.UNKNOWN:
            # A provider may date a status before the one that it followed.
            yield Stage(status, min(since, left), left)
        status, since = entry.report.status, left
