"""The history of benchmarks: a line of JSON for each run, in .local/bench/history.jsonl."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.children import ROOT, WORK
from bench.figures import Figure

PATH: Final = WORK / "history.jsonl"

Row = Mapping[str, Any]
"""A figure as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of `make bench`, with the parts that it measured."""

    at: str
    """When it began: an instant in UTC, by which it is named."""
    commit: str
    quick: bool
    machine: str
    parts: Mapping[str, Sequence[Row]]

    @property
    def name(self) -> str:
        return f"{self.at} ({self.commit or 'no commit'}{', quick' if self.quick else ''})"

    def rows(self) -> dict[tuple[str, str], Row]:
        """Each row, by its part and its name."""
        return {(part, row["what"]): row for part, rows in self.parts.items() for row in rows}


def keep_run(
    figures: Mapping[str, Sequence[Figure]],
    *,
    started: datetime,
    quick: bool,
    path: Path = PATH,
) -> None:
    """Add a run to the history."""
    line = {
        "at": started.astimezone(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "quick": quick,
        "machine": f"{os.cpu_count()} x {platform.machine()}, Python {platform.python_version()}",
        "parts": {part: [one.as_json() for one in found] for part, found in figures.items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")


def read_runs(path: Path = PATH) -> list[Run]:
    """The runs of the history, the earliest first."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [Run(**json.loads(line)) for line in lines]


def _commit() -> str:
    """The measured commit, with a ``+`` if files were changed; empty outside of git."""
    try:
        said = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return said.stdout.strip()
