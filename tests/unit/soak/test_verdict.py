"""A judge that finds nothing has to be one that could: what is lost or doubled, it names."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from milepost.common.status import Status
from milepost.orders.lifecycle import fold
from milepost.orders.order import Announcement, Kind, OrderKey, TrackedOrder
from tests.builders import KEY, OFFERGRID, RULES, minute, report
from tests.soak.verdict import Judge

REPORTS = [report(Status.PENDING), report(Status.ACCEPTED, 1)]


def judge() -> Judge:
    account = SimpleNamespace(id=OFFERGRID.id, provider=OFFERGRID.provider, orders=lambda: ())
    one = Judge(stack=cast(Any, None), accounts=[cast(Any, account)])
    one.__dict__["_settings"] = {OFFERGRID.id: OFFERGRID}
    return one


def accepted(sequence: int) -> Announcement:
    return Announcement(
        sequence=sequence,
        kind=Kind.ACCEPTED,
        status=Status.ACCEPTED,
        previous=Status.PENDING,
        occurred_at=minute(1),
        announced_at=minute(2),
    )


def kept(*announced: Announcement) -> dict[OrderKey, TrackedOrder]:
    return {KEY: TrackedOrder(order=fold(REPORTS, RULES), version=1, announced=announced)}


def test_what_was_told_once_is_neither_lost_nor_doubled() -> None:
    one = judge()
    one.judge_told(kept(accepted(1)), {f"{KEY}/1": 1})
    one.judge_orders(kept(accepted(1)))
    assert (one.verdict.lost, one.verdict.doubled, one.verdict.wrong) == ([], [], [])
    assert one.verdict.told_again == 0


def test_an_announcement_that_nobody_was_told_of_is_lost() -> None:
    one = judge()
    one.judge_told(kept(accepted(1)), {})
    assert one.verdict.lost == [f"SNS {KEY}/1"]


def test_one_change_told_under_two_ids_is_doubled() -> None:
    one = judge()
    one.judge_told(kept(accepted(1), accepted(2)), {f"{KEY}/1": 1, f"{KEY}/2": 1})
    assert one.verdict.doubled == [f"{KEY} told 2 times as accepted"]


def test_what_nobody_announced_is_doubled_and_a_repeated_id_is_only_counted() -> None:
    one = judge()
    one.judge_told(kept(accepted(1)), {f"{KEY}/1": 3, f"{KEY}/2": 1})
    assert one.verdict.doubled == [f"SNS {KEY}/2: unknown"]
    assert one.verdict.told_again == 2


@pytest.mark.parametrize(
    ("life", "lost"),
    [
        (["pending", "accepted"], 0),
        (["accepted", "scheduled"], 1),
        (["accepted", "pending"], 1),
    ],
)
def test_a_step_of_a_polled_life_that_is_missing_or_elsewhere_is_lost(
    life: list[str], lost: int
) -> None:
    one = judge()
    sent = {KEY.connection: cast(Any, SimpleNamespace(lives={KEY.order_id: life}))}
    one.judge_polled(kept(), sent)
    assert len(one.verdict.lost) == lost


def test_an_order_that_is_not_the_fold_of_its_reports_is_wrong() -> None:
    one, orders = judge(), kept()
    order = replace(orders[KEY].order, status=Status.SCHEDULED)
    one.judge_orders({KEY: replace(orders[KEY], order=order)})
    assert one.verdict.wrong == [f"{KEY} is not the fold of its reports: ['status']"]


def test_of_an_erased_order_nothing_is_lost_and_what_was_told_before_is_known() -> None:
    one, orders = judge(), kept(accepted(1), accepted(2))
    erased = {KEY: replace(orders[KEY], erased_at=minute(3))}
    sent = {KEY.connection: cast(Any, SimpleNamespace(lives={KEY.order_id: ["scheduled"]}))}
    one.judge_polled(erased, sent)
    one.judge_told({KEY: replace(erased[KEY], announced=(accepted(1),))}, {})
    one.judge_told({KEY: replace(erased[KEY], announced=(accepted(1),))}, {f"{KEY}/1": 1})
    assert (one.verdict.lost, one.verdict.doubled) == ([], [])
    one.judge_told(erased, {f"{KEY}/3": 1})
    assert f"SNS {KEY}/3: unknown" in one.verdict.doubled
