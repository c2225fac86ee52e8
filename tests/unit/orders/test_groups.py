"""What the items of one provider order come to together."""

import pytest

from milepost.common.status import Status
from milepost.orders.groups import summarize_group
from tests.builders import report, tracked

S = Status


@pytest.mark.parametrize(
    ("statuses", "code", "text"),
    [
        ([S.ACCEPTED], "all_accepted", "Accepted"),
        ([S.IN_PROGRESS], "all_in_progress", "In progress"),
        ([S.ACCEPTED, S.ACCEPTED], "all_accepted", "All 2 items accepted"),
        ([S.IN_PROGRESS] * 3, "all_in_progress", "All 3 items in progress"),
        ([S.ACCEPTED, S.REJECTED], "partly_rejected", "2 items: 1 accepted, 1 rejected"),
        ([S.COMPLETED, S.FAILED], "partly_failed", "2 items: 1 completed, 1 failed"),
        ([S.ACTIVE, S.CANCELLED], "partly_cancelled", "2 items: 1 active, 1 cancelled"),
        (
            [S.CANCELLED, S.FAILED, S.REJECTED],
            "partly_rejected",
            "3 items: 1 rejected, 1 failed, 1 cancelled",
        ),
        ([S.SCHEDULED, S.ACCEPTED, S.ACCEPTED], "mixed", "3 items: 2 accepted, 1 scheduled"),
    ],
)
def test_a_group_is_said_in_one_word_and_in_one_line(
    statuses: list[Status], code: str, text: str
) -> None:
    summary = summarize_group(tracked(report(status)).order for status in statuses)
    assert (summary.code, summary.text) == (code, text)
    assert summary.counts == {status: statuses.count(status) for status in set(statuses)}
    assert sum(summary.counts.values()) == len(statuses)


def test_the_order_of_the_items_changes_nothing() -> None:
    statuses = [S.REJECTED, S.ACCEPTED, S.SCHEDULED]
    orders = [tracked(report(status)).order for status in statuses]
    assert summarize_group(orders) == summarize_group(reversed(orders))


def test_a_group_without_items_is_none() -> None:
    with pytest.raises(ValueError, match="at least one item"):
        summarize_group([])
