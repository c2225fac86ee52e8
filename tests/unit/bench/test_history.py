"""Runs of the benchmarks are kept, and two of them can be compared."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench.compare import Change, compare, last_two, pick, show
from bench.figures import Figure
from bench.history import Run, keep_run, read_runs

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def row(what: str, measured: float, goal: float | None = None) -> Figure:
    return Figure(what=what, measured=measured, unit="ms", goal=goal)


def keep(
    path: Path, parts: Mapping[str, Sequence[Figure]], *, days: int = 0, quick: bool = False
) -> None:
    keep_run(parts, started=START + timedelta(days=days), quick=quick, path=path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history" / "runs.jsonl"


def changes(before: Run, after: Run) -> dict[str, Change]:
    return {one.what: one for one in compare(before, after)}


def test_without_a_run_there_is_no_history(path: Path) -> None:
    assert read_runs(path) == []
    with pytest.raises(SystemExit, match="no history yet"):
        last_two([])


def test_every_run_is_kept_with_what_it_measured_and_on_what(path: Path) -> None:
    keep(path, {"cold": [row("init", 300, goal=350)]})
    keep(path, {"warm": [row("a call", 1.2)]}, days=1, quick=True)
    first, second = read_runs(path)
    assert (first.at, first.quick) == ("2026-03-02T09:30:00+00:00", False)
    assert (second.at, second.quick) == ("2026-03-03T09:30:00+00:00", True)
    (kept,) = first.parts["cold"]
    assert (kept["measured"], kept["goal"], kept["verdict"]) == (300, 350, "reached")
    assert "Python 3" in first.machine


def test_rows_are_compared_by_what_they_measure(path: Path) -> None:
    keep(path, {"cold": [row("init", 300, goal=350), row("gone", 1), row("slow", 40, goal=50)]})
    keep(path, {"cold": [row("init", 360, goal=350), row("new", 2), row("slow", 20, goal=50)]})
    before, after = read_runs(path)
    found = changes(before, after)
    assert found["init"].share == pytest.approx(0.2)
    assert found["slow"].share == pytest.approx(-0.5)
    assert {what: one.verdict for what, one in found.items()} == {
        "init": "misses its goal now",
        "gone": "not measured",
        "slow": "",
        "new": "new",
    }
    assert show([*found.values()], title="both").row_count == 4


def test_a_row_that_was_nothing_has_no_share(path: Path) -> None:
    keep(path, {"poll": [row("writes", 0)]})
    keep(path, {"poll": [row("writes", 3)]})
    assert changes(*read_runs(path))["writes"].share is None


def test_a_part_is_compared_with_the_last_run_of_its_size_that_measured_it(path: Path) -> None:
    keep(path, {"cold": [row("init", 1)], "warm": [row("a call", 1)]})
    keep(path, {"cold": [row("init", 2)]}, days=1)
    keep(path, {"cold": [row("init", 9)]}, days=2, quick=True)
    keep(path, {"cold": [row("init", 3)], "warm": [row("a call", 3)]}, days=3)
    keep(path, {"cold": [row("init", 4)], "warm": [row("a call", 5)]}, days=4)
    runs = read_runs(path)
    before, after = last_two(runs[:4])
    found = changes(before, after)
    assert {what: one.before and one.before["measured"] for what, one in found.items()} == {
        "init": 2,
        "a call": 1,
    }
    assert (after.at, len(last_two(runs)[0].parts)) == (runs[3].at, 2)
    with pytest.raises(SystemExit, match="No earlier run of this size"):
        last_two(runs[:3])


def test_two_runs_are_named_by_their_times(path: Path) -> None:
    for days in range(3):
        keep(path, {"cold": [row("init", days)]}, days=days)
    runs = read_runs(path)
    before, after = pick(runs, ["2026-03-02", "2026-03-04"])
    assert (before, after) == (runs[0], runs[2])
    with pytest.raises(SystemExit, match="begins with 2025"):
        pick(runs, ["2025", "2026"])


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Figure] | BaseException]:
    """What each part measures, or how it fails. Nothing is written."""
    found: dict[str, list[Figure] | BaseException] = {}

    def run(part: str, **_: object) -> list[Figure]:
        measured = found[part]
        if isinstance(measured, BaseException):
            raise measured
        return measured

    monkeypatch.setattr(bench, "run_part", run)
    for name in ("keep", "keep_duration", "keep_run"):
        monkeypatch.setattr(bench, name, lambda *_arguments, **_more: None)
    return found


def test_a_missed_goal_is_no_failure_and_is_named_last(
    parts: dict[str, list[Figure] | BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    parts |= {"cold": [row("init", 9, goal=1)], "warm": [row("a call", 1, goal=2)]}
    assert bench.main(["cold", "warm"]) == 0
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.strip() == "cold: init: 9 ms, goal ≤ 1, missed by 800%"


@pytest.mark.parametrize("error", [RuntimeError("it broke"), SystemExit("Java is missing")])
def test_a_part_that_cannot_be_measured_is_a_failure_and_the_others_are_measured(
    error: BaseException,
    parts: dict[str, list[Figure] | BaseException],
    capsys: pytest.CaptureFixture[str],
) -> None:
    parts |= {"cold": error, "warm": [row("a call", 1, goal=2)]}
    assert bench.main(["cold", "warm"]) == 1
    said = capsys.readouterr().out
    assert f"cold could not be measured: {error}" in said
    assert "Not measured: cold." in said
    assert "1 of 1 goals reached" in said
