"""Runs the fuzzers, two at a time, and prints which ran.

``python -m tests.fuzz <a python that has atheris> [--briefly]``
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from milepost.providers.registry import REGISTRY
from tests.fuzz import seeds
from tests.stack import ROOT

FOLDER: Final = ROOT / ".local" / "fuzz"
AT_ONCE: Final = 2
_EXECUTED: Final = re.compile(r"number_of_executed_units:\s*(\d+)")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One process: a target, and its limit in inputs or in seconds."""

    target: str
    runs: int
    seconds: int
    longest: int
    """Bytes of an input."""
    seeds: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Ran:
    """The result of a process; ``text`` is its output if something was found."""

    part: Part
    inputs: int
    seconds: float
    text: str | None


def parts(*, briefly: bool) -> list[Part]:
    """A million inputs for the verifier; for the others, as many as there is time for."""
    verifiers = [
        Part(target="verifier", runs=500_000, seconds=120 if briefly else 240, longest=1024)
    ] * AT_ONCE
    adapters = [
        Part(
            target=provider,
            runs=100_000,
            seconds=12 if briefly else 60,
            longest=8192,
            seeds=FOLDER / provider,
        )
        for provider in sorted(REGISTRY)
    ]
    cursor = Part(target="cursor", runs=1_000_000, seconds=12 if briefly else 120, longest=512)
    return [*verifiers, cursor, *adapters]


def run(part: Part, python: str) -> Ran:
    """Run one process to its end."""
    command = [
        *(python, "-m", "tests.fuzz.fuzz", part.target),
        *(f"-runs={part.runs}", f"-max_total_time={part.seconds}", f"-max_len={part.longest}"),
        *("-verbosity=0", "-print_final_stats=1", f"-artifact_prefix={FOLDER}/"),
        *([str(part.seeds)] if part.seeds else []),
    ]
    began = time.monotonic()
    paths = f"{ROOT}{os.pathsep}{ROOT / 'layers' / 'core'}"
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    found = _EXECUTED.search(done.stdout)
    return Ran(
        part=part,
        inputs=int(found[1]) if found else 0,
        seconds=time.monotonic() - began,
        text=done.stdout if done.returncode or not found else None,
    )


def tell(ran: Sequence[Ran]) -> None:
    """The results, by target."""
    for target in dict.fromkeys(one.part.target for one in ran):
        of_it = [one for one in ran if one.part.target == target]
        inputs = sum(one.inputs for one in of_it)
        wanted = sum(one.part.runs for one in of_it)
        seconds = max(one.seconds for one in of_it)
        so_far = f", of {wanted:,}: its time was up" if inputs < wanted else ""
        found = "; SOMETHING WAS FOUND" if any(one.text for one in of_it) else ""
        print(f"fuzzed {target}: {inputs:,} inputs in {seconds:.0f} s{so_far}{found}")


def main() -> None:
    python, briefly = sys.argv[1], "--briefly" in sys.argv
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    seeds.main(str(FOLDER))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ran = list(pool.map(lambda part: run(part, python), parts(briefly=briefly)))
    tell(ran)
    if failed := [one for one in ran if one.text]:
        print(*(one.text for one in failed), sep="\n")
        sys.exit(f"What was found is in {FOLDER}.")


if __name__ == "__main__":
    main()
