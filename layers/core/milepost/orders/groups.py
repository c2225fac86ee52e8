"""Groups: the items of one provider order, and their common status."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from milepost.common.status import Status
from milepost.orders.order import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSummary:
    """``code`` is, for example, ``all_accepted``, ``partly_rejected`` or ``mixed``; ``text`` is for
    people.
    """

    code: str
    text: str
    counts: dict[str, int]


_BAD_NEWS = (Status.REJECTED, Status.FAILED, Status.CANCELLED)


def summarize_group(orders: Iterable[Order]) -> GroupSummary:
    """Summarize the items of one order.

    :raises ValueError: without any item
    """
    statuses: Sequence[Status] = [order.status for order in orders]
    if not statuses:
        raise ValueError("a group has at least one item")
    counts = Counter(statuses)
    return GroupSummary(
        code=_code(counts),
        text=_text(counts),
        counts={str(status): counts[status] for status in Status if counts[status]},
    )


def _code(counts: Counter[Status]) -> str:
    if len(counts) == 1:
        return f"all_{next(iter(counts))}"
    for status in _BAD_NEWS:
        if counts[status]:
            return f"partly_{status}"
    return "mixed"


def _text(counts: Counter[Status]) -> str:
    total = sum(counts.values())
    if len(counts) == 1:
        status = next(iter(counts)).replace("_", " ")
        return status.capitalize() if total == 1 else f"All {total} items {status}"
    parts = [f"{counts[s]} {s.replace('_', ' ')}" for s in Status if counts[s]]
    return f"{total} items: " + ", ".join(parts)
