"""Tallies: sums are exact, and what is read off the buckets is off by half a bucket at most."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.common.status import StageLevel, Status
from milepost.queries.histogram import BOUNDS, StageFigures, StageKey, Tally, bucket_of, figures_of
from milepost.queries.histogram import sum_by_raw_status as apart
from milepost.queries.histogram import sum_by_stage as summed

KEY = StageKey("offergrid-home", "2026-03", "internet", Status.ACCEPTED)
durations = st.lists(st.integers(1000, BOUNDS[-1]), min_size=1, max_size=60)
HALF_A_BUCKET = 0.0251


def tally_of(*milliseconds: int) -> Tally:
    tally = Tally()
    for one in milliseconds:
        tally.add(one)
    return tally


def test_a_bucket_is_at_most_five_percent_wide() -> None:
    for low, high in pairwise(BOUNDS):
        assert low < high
        assert Fraction(high, low) <= Fraction(105, 100)


@pytest.mark.parametrize(
    ("milliseconds", "bucket"),
    [(0, 0), (999, 0), (1000, 1), (1049, 1), (1050, 2), (10**15, len(BOUNDS))],
)
def test_a_bucket_begins_at_its_bound(milliseconds: int, bucket: int) -> None:
    assert bucket_of(milliseconds) == bucket


@given(durations)
def test_count_and_mean_are_exact(values: list[int]) -> None:
    found = figures_of(KEY, tally_of(*values))
    assert found.count == len(values)
    assert found.mean == sum(values) / len(values) / 1000


@given(durations)
def test_median_and_p90_are_within_half_a_bucket(values: list[int]) -> None:
    found = figures_of(KEY, tally_of(*values))
    ninth_of_ten = sorted(values)[-(-len(values) * 9 // 10) - 1]
    assert found.median * 1000 == pytest.approx(median(values), rel=HALF_A_BUCKET)
    assert found.p90 * 1000 == pytest.approx(ninth_of_ten, rel=HALF_A_BUCKET)


@given(durations, durations)
def test_what_is_taken_away_again_leaves_nothing(some: list[int], others: list[int]) -> None:
    tally = tally_of(*some, *others)
    for one in others:
        tally.add(one, times=-1)
    assert figures_of(KEY, tally) == figures_of(KEY, tally_of(*some))


def test_months_are_summed_and_what_has_come_to_nothing_is_left_out() -> None:
    april = StageKey("offergrid-home", "2026-04", "internet", Status.ACCEPTED)
    pending = StageKey("offergrid-home", "2026-04", "internet", Status.PENDING)
    empty = tally_of(5000)
    empty.add(5000, times=-1)
    assert summed([(KEY, tally_of(2000)), (april, tally_of(4000, 6000)), (pending, empty)]) == [
        StageFigures(
            connection="offergrid-home",
            service_type="internet",
            stage=Status.ACCEPTED,
            count=3,
            mean=4.0,
            median=pytest.approx(4, rel=HALF_A_BUCKET),
            p90=pytest.approx(6, rel=HALF_A_BUCKET),
        )
    ]


def test_each_stage_counts_once_by_status_and_once_by_raw_status() -> None:
    def of(word: str, level: StageLevel, *milliseconds: int) -> tuple[StageKey, Tally]:
        return replace(KEY, raw_status=word, level=level), tally_of(*milliseconds)

    kept = [
        of("", StageLevel.BOTH, 1000),
        of("Contract Generated", StageLevel.BOTH, 2000),
        of("contract generated", StageLevel.RAW_STATUS, 3000, 4000),
        of("Connection Fee Generated", StageLevel.RAW_STATUS, 5000, 6000),
        of("", StageLevel.STATUS, 8000, 10000),
    ]
    assert [(one.raw_status, one.count, one.mean) for one in summed(kept)] == [(None, 4, 5.25)]
    assert [(one.raw_status, one.count, one.mean) for one in apart(kept)] == [
        (None, 1, 1),
        ("Connection Fee Generated", 2, 5.5),
        ("contract generated", 3, 3),
    ]
