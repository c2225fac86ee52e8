"""Folds stored orders again, starting at a position, for as long as there is time."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from milepost.common.exception_summary import OwnWords
from milepost.orders.refold import FIRST_PLACE, Refold

logger = logging.getLogger(__name__)


class NotAllReadAgain(OwnWords):
    """Some orders could not be read again; the log says which and why."""


def read_again(
    orders: Refold, *, after: str | None, now: datetime, has_time: Callable[[], bool]
) -> dict[str, Any]:
    """Fold orders again; nobody is notified.

    :param after: the place of the last order that was read before, None for the first run
    :returns: the counts; ``after`` is the place to continue from, None at the end
    :raises NotAllReadAgain: at the end, when some orders failed
    """
    done = {"read": 0, "changed": 0, "failed": 0}
    place = after
    for one in orders.index.walk(after=after):
        if not has_time():
            logger.info("read again", extra=dict(done))
            return {**done, "after": place or FIRST_PLACE}
        done["read"] += 1
        try:
            done["changed"] += orders.read_again(one.key, now=now)
        except Exception:
            logger.exception("failed to read again", extra={"order": str(one.key)})
            done["failed"] += 1
        place = one.place
    logger.info("read again", extra=dict(done))
    if done["failed"]:
        raise NotAllReadAgain(f"{done['failed']} orders could not be read again: repeat it")
    return {**done, "after": None}
