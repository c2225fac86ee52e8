"""The stays of an order in its stages, by the provider's raw statuses, and how they ended."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from milepost.common.status import StageLevel, Status, normal_form
from milepost.forecasts.stays import Stay
from milepost.orders.item_sizes import shorten_text
from milepost.orders.lifecycle import OPEN, TERMINAL
from milepost.orders.order import TrackedOrder
from milepost.orders.stages import RAW_STATUS_BYTES, measured_stages

_SUCCESSFUL: Final = frozenset({Status.COMPLETED, Status.ACTIVE})


def stage_name(status: Status, raw_status: str | None) -> str:
    """The stage that an order is in: the canonical status, and the provider's raw status if that is
    a different word."""
    word = normal_form(raw_status or "")
    if not word or word.replace("_", " ") == status.replace("_", " "):
        return str(status)
    return f"{status}: {shorten_text(word, RAW_STATUS_BYTES)}"


def stays_of(tracked: TrackedOrder) -> Iterator[Stay]:
    """The stays of an order in its open stages, according to its timeline.

    An order whose customer was erased counts if it had ended: nobody knows when it goes on.
    """
    order = tracked.order
    ended = _ended(tracked)
    if ended is None and tracked.erased_at is not None:
        return
    present = Stay(
        stage=stage_name(order.status, order.raw_status),
        entered=order.stage_since.timestamp(),
        ended=ended.timestamp() if ended else None,
        completed=order.status in _SUCCESSFUL,
        connection=order.key.connection,
        service_type=order.details.get("service_type", ""),
    )
    for stage in measured_stages(order):
        is_whole = stage.level is not StageLevel.STATUS
        if is_whole and stage.status in OPEN and (ended is None or stage.left <= ended):
            yield replace(
                present,
                stage=stage_name(stage.status, stage.raw_status),
                entered=stage.entered.timestamp(),
                left=stage.left.timestamp(),
            )
    if ended is None and order.status is not Status.UNKNOWN:
        yield present


def _ended(tracked: TrackedOrder) -> datetime | None:
    """When the order ended; an order that is active after it was completed ended when it was
    completed.
    """
    order = tracked.order
    if order.status not in TERMINAL:
        return None
    stages = [one for one in measured_stages(order) if one.level is not StageLevel.RAW_STATUS]
    ended = order.since
    for one in reversed(stages):
        if one.status not in _SUCCESSFUL or order.status not in _SUCCESSFUL:
            break
        ended = min(ended, one.entered)
    return ended
