"""Finished stages: the statuses that an order has left, and how long it was in each of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from milepost.common.status import StageLevel, Status, is_same_word, normal_form
from milepost.orders.item_sizes import shorten_text
from milepost.orders.order import Effect, Entry, Order
from milepost.orders.summary import Stage, Summary

MOVING: Final = frozenset({Effect.MOVED, Effect.CONTINUED, Effect.CORRECTED})
"""Effects of reports by which an order left one status for another."""
RAW_STATUS_BYTES: Final = 80
"""Bytes of a raw status that a finished stage keeps; an order may have very many stages."""


def finished_stages(order: Order) -> tuple[Stage, ...]:
    """The order's finished stages by canonical status, in the order in which it left them.

    They contain neither skipped statuses, nor the present one, nor the time before the first known
    status.
    """
    found = stages_in(order.timeline, order.summary)
    return tuple(one for one in found if one.level is not StageLevel.RAW_STATUS)


def measured_stages(order: Order) -> tuple[Stage, ...]:
    """The same, with the stages of raw statuses if a canonical status had several of them."""
    return tuple(stages_in(order.timeline, order.summary))


def stages_in(entries: Sequence[Entry], summary: Summary | None) -> Iterator[Stage]:
    """The stages that ended before these entries of a timeline, and within them.

    Later entries only add stages.

    :param summary: the summary of what came before the entries, if any
    """
    present = _Present(Status.UNKNOWN, None, entries[0].report.occurred_at)
    if summary is not None:
        yield from summary.stages
        present = _Present(summary.status, summary.raw_status, summary.since, summary.raw_since)
    for entry in entries:
        report = entry.report
        if report.status is None:
            continue
        left = report.status_since or report.occurred_at
        if entry.effect in MOVING:
            yield from present.leave(left)
            present = _Present(report.status, report.raw_status, left)
        elif entry.effect is Effect.CONFIRMED and not is_same_word(
            report.raw_status, present.raw_status
        ):
            yield from present.leave_raw_status(left)
            present = replace(present, raw_status=report.raw_status, raw_since=left)


@dataclass(frozen=True, slots=True)
class _Present:
    """The order's status at one position of its timeline.

    ``raw_since`` is when it got another raw status within the same status, if it did.
    """

    status: Status
    raw_status: str | None
    since: datetime
    raw_since: datetime | None = None

    def leave(self, left: datetime) -> Iterator[Stage]:
        """The stages that end when the order leaves its status."""
        if self.status is Status.UNKNOWN:
            return
        # A provider may date a status earlier than the status before it.
        entered = min(self.since, left)
        if self.raw_since is None:
            yield Stage(self.status, entered, left, self._word)
        else:
            yield from self.leave_raw_status(left)
            yield Stage(self.status, entered, left, level=StageLevel.STATUS)

    def leave_raw_status(self, left: datetime) -> Iterator[Stage]:
        """The stage that ends when the order gets another raw status within the same canonical
        status.
        """
        if self.status is not Status.UNKNOWN:
            entered = min(self.raw_since or self.since, left)
            yield Stage(self.status, entered, left, self._word, StageLevel.RAW_STATUS)

    @property
    def _word(self) -> str | None:
        raw = " ".join((self.raw_status or "").split())
        if not raw or normal_form(raw).replace("_", " ") == self.status.replace("_", " "):
            return None
        return shorten_text(raw, RAW_STATUS_BYTES)
