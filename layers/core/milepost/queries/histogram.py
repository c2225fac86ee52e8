"""Histograms of durations, in buckets that are at most 5% wide."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Final

from milepost.common.status import StageLevel, Status, normal_form

_SECOND: Final = 1000
_LONGEST: Final = 20 * 365 * 24 * 3600 * _SECOND


def _bounds() -> Iterator[int]:
    # Computed with whole numbers, so that buckets are the same on every processor.
    bound = _SECOND
    while bound < _LONGEST:
        yield bound
        bound += bound // 20


BOUNDS: Final = tuple(_bounds())
"""The lower limits of the buckets, in milliseconds. Shorter durations are in bucket 0, longer ones
in the last one."""


@dataclass(frozen=True, slots=True, order=True)
class StageKey:
    """The stage, its connection, the service type of the order (or none), and the month in which it
    ended.

    ``raw_status`` is empty where it is the same word as the status, or isn't known.
    """

    connection: str
    month: str
    service_type: str
    status: Status
    raw_status: str = ""
    level: StageLevel = StageLevel.BOTH


@dataclass(slots=True)
class Tally:
    """Durations, or changes of durations: their sum in milliseconds, and the number in each
    bucket."""

    milliseconds: int = 0
    buckets: Counter[int] = field(default_factory=Counter)

    def add(self, milliseconds: int, *, times: int = 1) -> None:
        """Add a duration, or remove one with ``times=-1``."""
        self.milliseconds += times * milliseconds
        self.buckets[bucket_of(milliseconds)] += times

    def merge(self, other: "Tally") -> None:
        self.milliseconds += other.milliseconds
        for bucket, number in other.buckets.items():
            self.buckets[bucket] += number

    @property
    def is_empty(self) -> bool:
        return not self.milliseconds and not any(self.buckets.values())

    @property
    def count(self) -> int:
        return self.buckets.total()


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFigures:
    """How long a stage took: durations in seconds. The mean is exact, the others are accurate to
    2.5%.

    ``raw_status`` is set for the raw status of a stage, where it is another word.
    """

    connection: str
    service_type: str
    stage: Status
    raw_status: str | None = None
    count: int
    mean: float
    median: float
    p90: float


def bucket_of(milliseconds: int) -> int:
    """The number of a duration's bucket."""
    return bisect_right(BOUNDS, milliseconds)


def figures_of(key: StageKey, tally: Tally) -> StageFigures:
    """The figures of a tally; it must not be empty."""
    number = tally.count
    middle = (_seconds_at(tally, (number + 1) // 2) + _seconds_at(tally, number // 2 + 1)) / 2
    return StageFigures(
        connection=key.connection,
        service_type=key.service_type,
        stage=key.status,
        raw_status=key.raw_status or None,
        count=number,
        mean=tally.milliseconds / number / _SECOND,
        median=middle,
        # The 90th percentile.
        p90=_seconds_at(tally, -(-number * 9 // 10)),
    )


def _seconds_at(tally: Tally, rank: int) -> float:
    """The middle of the bucket with the duration of this rank; ranks begin at 1."""
    buckets = sorted(bucket for bucket, number in tally.buckets.items() if number > 0)
    reached = accumulate(tally.buckets[bucket] for bucket in buckets)
    found = next(b for b, total in zip(buckets, reached, strict=True) if total >= rank)
    if found == 0:
        return 0.5
    low = BOUNDS[found - 1]
    high = BOUNDS[found] if found < len(BOUNDS) else low
    return (low + high) / 2 / _SECOND


def sum_by_stage(tallies: Iterable[tuple[StageKey, Tally]]) -> list[StageFigures]:
    """The figures of each connection, service type and stage over all months, sorted."""
    sums: dict[StageKey, Tally] = {}
    for key, tally in tallies:
        if key.level is not StageLevel.RAW_STATUS:
            sums.setdefault(_of_all_months(key), Tally()).merge(tally)
    return [figures_of(key, tally) for key, tally in _in_order(sums)]


def sum_by_raw_status(tallies: Iterable[tuple[StageKey, Tally]]) -> list[StageFigures]:
    """The same for each raw status of a stage; different spellings of one word count as one raw
    status.
    """
    sums: dict[StageKey, Tally] = {}
    spelled: dict[StageKey, Counter[str]] = {}
    for key, tally in tallies:
        if key.level is not StageLevel.STATUS:
            of_word = _of_all_months(key, raw_status=normal_form(key.raw_status))
            sums.setdefault(of_word, Tally()).merge(tally)
            spelled.setdefault(of_word, Counter())[key.raw_status] += tally.count
    return [
        replace(one, raw_status=_most_used(spelled[key]) or None)
        for key, tally in _in_order(sums)
        for one in [figures_of(key, tally)]
    ]


def _of_all_months(key: StageKey, *, raw_status: str = "") -> StageKey:
    return StageKey(key.connection, "", key.service_type, key.status, raw_status)


def _in_order(sums: Mapping[StageKey, Tally]) -> list[tuple[StageKey, Tally]]:
    there = [(key, tally) for key, tally in sums.items() if tally.count > 0]
    return sorted(
        there,
        key=lambda one: (one[0].connection, one[0].service_type, one[0].status.rank, one[0]),
    )


def _most_used(spelled: Mapping[str, int]) -> str:
    return min(spelled, key=lambda word: (-spelled[word], word))
