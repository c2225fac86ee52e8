"""What `make bench` prints and keeps beside the figures themselves."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from bench.__main__ import keep_duration, show, summarize
from bench.figures import Figure, describe_seconds

WHY = "botocore's own work for one put is two thirds of it, and a batch's read another tenth"
MISSED = Figure(
    what="record_report, per event",
    measured=1.43,
    unit="boto3 calls",
    goal=1.3,
    note="2.99 ms; a call 2.45 ms, of which most is botocore's",
    if_missed=WHY,
)
REACHED = Figure(what="log of a webhook", measured=269, unit="bytes", goal=1_024, if_missed=WHY)
WITHOUT_GOAL = Figure(what="R, a bare boto3 client", measured=317, unit="ms")


def test_the_end_says_how_many_goals_there_were_and_which_were_missed_by_how_much() -> None:
    figures = {"warm": [MISSED, WITHOUT_GOAL], "logs": [REACHED]}
    count, *missed = summarize(figures, seconds=344.4)
    assert count == "1 of 2 goals reached, in 5 min 44 s. Missed:"
    assert missed == ["warm: record_report, per event: 1.43 boto3 calls, goal ≤ 1.3, missed by 10%"]
    assert [*summarize({"logs": [REACHED]}, seconds=8)] == ["1 of 1 goals reached, in 8 s."]


@pytest.mark.parametrize("width", [80, 100])
def test_a_table_fits_the_terminal_and_says_below_it_why_a_goal_was_missed(width: int) -> None:
    console = Console(file=io.StringIO(), width=width)
    console.print(show("warm", [MISSED, REACHED, WITHOUT_GOAL], seconds=44.4))
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    (row,) = (line for line in lines if line.startswith(MISSED.what) and "1.43" in line)
    assert row.split()[-3:] == ["missed", "by", "10%"]
    table, _, reasons = "\n".join(lines).partition("missed by 10%: ")
    assert " ".join(reasons.split()) == f"{WHY}."
    assert MISSED.note in " ".join(table.split())


def test_thousands_are_written_in_full() -> None:
    console = Console(file=io.StringIO(), width=100)
    slow = replace(WITHOUT_GOAL, measured=8_114.6, unit="us")
    console.print(show("growth", [slow, replace(slow, measured=0.9996)], seconds=1))
    assert isinstance(console.file, io.StringIO)
    assert " 8,115 us" in console.file.getvalue()
    assert " 1 us" in console.file.getvalue()


def test_a_reason_that_several_goals_have_in_common_is_given_once() -> None:
    console = Console(file=io.StringIO(), width=100)
    other = replace(MISSED, what="receive_webhook, per event")
    console.print(show("warm", [MISSED, other], seconds=1))
    assert isinstance(console.file, io.StringIO)
    text = " ".join(console.file.getvalue().split())
    assert text.count(WHY) == 1
    assert f"missed by 10%; {other.what}, missed by 10%: {WHY}" in text


def test_the_seconds_of_a_part_stand_beside_those_of_the_parts_that_ran_before(
    tmp_path: Path,
) -> None:
    keep_duration("cold", 43.26, quick=False, folder=tmp_path)
    keep_duration("warm", 80, quick=False, folder=tmp_path)
    keep_duration("cold", 9, quick=True, folder=tmp_path)
    assert json.loads((tmp_path / "durations.json").read_text()) == {
        "cold": {"seconds": 9, "quick": True},
        "warm": {"seconds": 80, "quick": False},
    }


def test_long_times_are_in_minutes() -> None:
    assert [describe_seconds(one) for one in (0.4, 119.4, 119.6, 3_601)] == [
        "0 s",
        "119 s",
        "2 min 0 s",
        "60 min 1 s",
    ]
