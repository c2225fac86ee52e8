"""`make bench-compare`: two runs of the benchmarks, row by row.

By default each row of the last run is compared with the last earlier run that measured it, at the
same size. Two beginnings of times name two runs: `make bench-compare RUNS="2026-03-02 2026-03-09"`.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table

from bench.history import Row, Run, read_runs

NOISE: Final = 0.05
"""A difference that two runs of the same code may have, as a share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A row in two runs; ``before`` or ``after`` is None if only the other run has it."""

    part: str
    what: str
    before: Row | None
    after: Row | None

    @property
    def share(self) -> float | None:
        """The share by which it grew; None if that can't be calculated."""
        if self.before is None or self.after is None or not self.before["measured"]:
            return None
        measured: float = self.after["measured"] / self.before["measured"]
        return measured - 1

    @property
    def verdict(self) -> str:
        """Whether its goal is newly reached or newly missed, or whether the row is new or was
        removed.
        """
        if self.before is None or self.after is None:
            return "new" if self.before is None else "not measured"
        was, is_now = (_is_missed(one) for one in (self.before, self.after))
        if was != is_now:
            return "misses its goal now" if is_now else "reaches its goal now"
        return ""


def pick(runs: Sequence[Run], names: Sequence[str]) -> tuple[Run, Run]:
    """The two runs whose times begin with these texts.

    :raises SystemExit: when a name fits none of them
    """
    found = []
    for name in names:
        fitting = [one for one in runs if one.at.startswith(name)]
        if not fitting:
            known = ", ".join(one.at for one in runs) or "none"
            raise SystemExit(f"No run of the history begins with {name}. There are: {known}.")
        found.append(fitting[-1])
    before, after = found
    return before, after


def last_two(runs: Sequence[Run]) -> tuple[Run, Run]:
    """The last run; and the previous results of the same parts, from earlier runs of the same size.

    :raises SystemExit: when there is nothing to compare
    """
    if not runs:
        raise SystemExit("There is no history yet: run `make bench`.")
    after, latest = runs[-1], ""
    parts: dict[str, Sequence[Row]] = {}
    for one in runs[:-1]:
        if one.quick == after.quick:
            fitting = {part: rows for part, rows in one.parts.items() if part in after.parts}
            parts |= fitting
            latest = one.name if fitting else latest
    if not parts:
        raise SystemExit(f"No earlier run of this size measured what {after.name} did.")
    before = Run(at=latest, commit="", quick=after.quick, machine="", parts=parts)
    return before, after


def compare(before: Run, after: Run) -> Iterator[Change]:
    """Each row of both runs."""
    old, new = before.rows(), after.rows()
    for part, what in dict.fromkeys((*old, *new)):
        yield Change(
            part=part, what=what, before=old.get((part, what)), after=new.get((part, what))
        )


def show(changes: Sequence[Change], *, title: str) -> Table:
    """A table of the rows; rows that differ by less than noise say so."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("what", ratio=1)
    for name in ("before", "after", "change"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for one in changes:
        what = f"{one.part}: {one.what}"
        table.add_row(what, _shown(one.before), _shown(one.after), _share(one), one.verdict)
    return table


def _is_missed(row: Row) -> bool:
    return str(row["verdict"]).startswith("missed")


def _shown(row: Row | None) -> str:
    return "" if row is None else f"{row['measured']:,.4g} {row['unit']}".rstrip()


def _share(one: Change) -> str:
    if one.share is None:
        return ""
    return f"{one.share:+.0%}" if abs(one.share) > NOISE else "the same"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the comparison."""
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__)
    parser.add_argument("runs", nargs="*", help="the beginnings of two times, the earlier first")
    chosen = parser.parse_args(arguments)
    if len(chosen.runs) not in (0, 2):
        parser.error("name two runs, or none")
    runs = read_runs()
    before, after = pick(runs, chosen.runs) if chosen.runs else last_two(runs)
    title = f"{before.at if not before.machine else before.name}, then {after.name}"
    Console().print(show([*compare(before, after)], title=title))
    return 0


if __name__ == "__main__":
    sys.exit(main())
