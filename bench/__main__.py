"""`make bench`: all parts, or the named ones, as a table and as JSON in .local/bench.

A goal that is missed is a result; the exit status is 1 only if something can't be measured.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.children import WORK
from bench.figures import Figure, describe_seconds
from bench.history import keep_run

PARTS: Final = (
    "cold",
    "warm",
    "poll",
    "peers",
    "writes",
    "logs",
    "lists",
    "exports",
    "questions",
    "console",
    "growth",
    "roundtrips",
    "forecast",
    "cost",
)
"""Modules with a ``measure``, in the order in which they run: the last reads of the others."""
LOG: Final = "for forecast: an event log (XES, may be gzipped), instead of the synthetic one"
WIDTH: Final = 100
"""Wider lines are no easier to read; narrower terminals get narrower tables."""
_ONE_LINE: Final = 42
"""Letters that stand beside the numbers on 80 columns."""
_THOUSAND: Final = 1_000
"""From there on three digits would come with an exponent."""
_INDENT: Final = (0, 0, 0, 2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show and store; returns 1 if a part could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=(*PARTS, []), help="all of them unless named")
    parser.add_argument("--quick", action="store_true", help="small sizes, rough figures")
    parser.add_argument("--log", type=Path, action="append", default=[], help=LOG)
    chosen = parser.parse_args(arguments)
    console = Console()
    console.width = min(console.width, WIDTH)
    figures: dict[str, list[Figure]] = {}
    durations: dict[str, float] = {}
    failed: dict[str, str] = {}
    begun = datetime.now(UTC)
    for part in chosen.parts or PARTS:
        started = time.monotonic()
        with console.status(f"measuring: {part}"):
            try:
                figures[part] = run_part(part, quick=chosen.quick, logs=chosen.log)
            except (Exception, SystemExit) as error:
                # What the other parts measure is worth having.
                failed[part] = str(error) or type(error).__name__
                console.print(Text(f"{part} could not be measured: {failed[part]}\n"))
                continue
        durations[part] = time.monotonic() - started
        keep(part, figures[part])
        keep_duration(part, durations[part], quick=chosen.quick)
        console.print(show(part, figures[part], seconds=durations[part]))
    keep_run(figures, started=begun, quick=chosen.quick)
    if failed:
        console.print(Text(f"Not measured: {', '.join(failed)}.", style="bold"))
    count, *missed = summarize(figures, seconds=sum(durations.values()))
    console.print(Text(count, style="bold"), *map(_indented, missed), sep="\n")
    return int(bool(failed))


def run_part(part: str, *, quick: bool, logs: Sequence[Path]) -> list[Figure]:
    """The figures of a part; only that of forecasts reads event logs."""
    of_logs = {"logs": logs} if part == "forecast" else {}
    measured: list[Figure] = import_module(f"bench.{part}").measure(quick=quick, **of_logs)
    return measured


def keep(part: str, figures: Sequence[Figure]) -> None:
    """Write .local/bench/<part>.json."""
    WORK.mkdir(parents=True, exist_ok=True)
    content = json.dumps([one.as_json() for one in figures], indent=1)
    (WORK / f"{part}.json").write_text(content + "\n")


def keep_duration(part: str, seconds: float, *, quick: bool, folder: Path = WORK) -> None:
    """Write how long a part took into durations.json, next to the times of the other parts."""
    path = folder / "durations.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    known[part] = {"seconds": round(seconds, 1), "quick": quick}
    path.write_text(json.dumps(known, indent=1) + "\n")


def show(part: str, figures: Sequence[Figure], *, seconds: float) -> RenderableType:
    """Show the figures as a table, with the reasons for missed goals below it."""
    title = f"[bold]{part}[/bold], {describe_seconds(seconds)}"
    table = Table(title=title, title_justify="left", title_style="", box=None, pad_edge=False)
    table.add_column("what", ratio=1)
    for name in ("measured", "goal"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for one in figures:
        table.add_row(_what(one), _measured(one), _goal(one), one.verdict)
    return Group(table, *_reasons(figures), "")


def summarize(figures: Mapping[str, Sequence[Figure]], *, seconds: float) -> Iterator[str]:
    """The number of goals, and a line for each missed goal."""
    goals = [
        (part, one) for part, found in figures.items() for one in found if one.goal is not None
    ]
    missed = [(part, one) for part, one in goals if not one.is_reached]
    reached = f"{len(goals) - len(missed)} of {len(goals)} goals reached"
    yield f"{reached}, in {describe_seconds(seconds)}" + (". Missed:" if missed else ".")
    for part, one in missed:
        bound = f"{_measured(one)}, goal {_goal(one)}"
        yield f"{part}: {one.what}: {bound}, {one.verdict}"


def _what(one: Figure) -> RenderableType:
    note = Text(one.note, style="dim")
    if len(one.what) + len(one.note) < _ONE_LINE:
        return Text(one.what).append("  ").append(note)
    return Group(Text(one.what), Padding(note, _INDENT)) if one.note else Text(one.what)


def _reasons(figures: Sequence[Figure]) -> Iterator[RenderableType]:
    told: dict[str, list[str]] = {}
    for one in figures:
        if one.reason:
            told.setdefault(one.reason, []).append(f"{one.what}, {one.verdict}")
    for reason, missed in told.items():
        yield _indented(f"{'; '.join(missed)}: {reason}.")


def _indented(text: str) -> RenderableType:
    return Padding(Text(text), _INDENT)


def _measured(one: Figure) -> str:
    digits = ".3g" if abs(one.measured) < _THOUSAND else ",.0f"
    return f"{one.measured:{digits}} {one.unit}".rstrip()


def _goal(one: Figure) -> str:
    return "" if one.goal is None else f"{'≥' if one.at_least else '≤'} {one.goal:g}"


if __name__ == "__main__":
    sys.exit(main())
