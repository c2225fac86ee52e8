"""`make bench`: every part, or those that are named, as a table and as JSON in .local/bench."""

import argparse
import json
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from rich.console import Console
from rich.table import Table

from bench.children import WORK
from bench.figures import Figure

PARTS: Final = (
    "cold",
    "warm",
    "validate",
    "poll",
    "peers",
    "writes",
    "logs",
    "lists",
    "growth",
    "latency",
    "cost",
)
"""Modules with a ``measure``, in the order in which they run: the last reads of the others."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show and keep; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=(*PARTS, []), help="all of them unless named")
    parser.add_argument("--quick", action="store_true", help="small sizes, rough figures")
    chosen = parser.parse_args(arguments)
    console = Console()
    figures: list[Figure] = []
    for part in chosen.parts or PARTS:
        with console.status(f"measuring: {part}"):
            found: list[Figure] = import_module(f"bench.{part}").measure(quick=chosen.quick)
        keep(part, found)
        console.print(show(part, found))
        figures += found
    return int(any(one.is_reached is False for one in figures))


def keep(part: str, figures: Sequence[Figure]) -> None:
    """Write .local/bench/<part>.json."""
    WORK.mkdir(parents=True, exist_ok=True)
    content = json.dumps([one.as_json() for one in figures], indent=1)
    (WORK / f"{part}.json").write_text(content + "\n")


def show(part: str, figures: Sequence[Figure]) -> Table:
    """The figures as a table for people."""
    table = Table(title=part, title_justify="left", expand=False)
    for name in ("what", "measured", "goal", "", "note"):
        table.add_column(name, justify="right" if name in ("measured", "goal") else "left")
    for one in figures:
        bound = "" if one.goal is None else f"{'≥' if one.at_least else '≤'} {one.goal:g}"
        table.add_row(one.what, f"{one.measured:,.3g} {one.unit}", bound, one.verdict, one.remark)
    return table


if __name__ == "__main__":
    sys.exit(main())
