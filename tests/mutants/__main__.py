"""Mutation testing of a seeded sample of the core: which mutants do the quick tests detect?

``python -m tests.mutants <a python that has mutmut> [--module NAME] [--number N] [--seed N]``
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.mutants.equivalent import EQUIVALENT
from tests.mutants.modules import MODULES
from tests.stack import ROOT

FOLDER: Final = ROOT / ".local" / "mutants"
COPIED: Final = ("bench", "cli", "docs", "events", "functions", "layers", "local", "tests")
NUMBER: Final = 200
SEED: Final = 14
_KILLED: Final = frozenset({1, 3, 24, 36, 152, 255, -24})
"""Exit codes of mutmut for a mutant with which a test fails, or does not end."""
_NO_TESTS: Final = 33


def lay_out(modules: Iterable[str]) -> None:
    """Copy the project in the layout that mutmut needs: with the product in ``src``."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    unwanted = shutil.ignore_patterns("__pycache__", ".hypothesis", "mutants")
    for name in COPIED:
        shutil.copytree(ROOT / name, FOLDER / name, ignore=unwanted)
    shutil.copy(ROOT / "template.yaml", FOLDER)
    package = FOLDER / "layers" / "core" / "milepost"
    (FOLDER / "src").mkdir()
    package.rename(FOLDER / "src" / "milepost")
    package.symlink_to(Path("../../src/milepost"))
    (FOLDER / "pyproject.toml").write_text(settings(modules))


def settings(modules: Iterable[str]) -> str:
    """pyproject.toml with mutmut's settings, importing from ``src``."""
    names = list(modules)
    files = [f"src/milepost/{name.replace('.', '/')}.py" for name in names]
    tests = sorted({path for name in names for path in MODULES[name]})
    text = (ROOT / "pyproject.toml").read_text()
    imports = 'pythonpath = [".", "layers/core"]'
    assert imports in text
    return text.replace(imports, 'pythonpath = [".", "src"]') + "\n".join(
        (
            "",
            "[tool.mutmut]",
            'source_paths = ["src"]',
            f"only_mutate = {json.dumps(files)}",
            f"also_copy = {json.dumps([*COPIED, 'template.yaml'])}",
            'pytest_add_cli_args = ["-n", "0", "-m", "not thorough", "-p", "no:cacheprovider"]',
            f"pytest_add_cli_args_test_selection = {json.dumps(tests)}",
            "",
        )
    )


def run_mutmut(python: str, *names: str) -> str:
    """Run mutmut on the mutants with these names; returns its output."""
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    run = subprocess.run(
        [python, "-m", "mutmut", "run", "--max-children", "2", *names],
        cwd=FOLDER,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(libraries)},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return run.stdout


def results() -> dict[str, int | None]:
    """The exit code for each existing mutant; None for a mutant that has not been tested."""
    found: dict[str, int | None] = {}
    for file in (FOLDER / "mutants" / "src").rglob("*.meta"):
        found |= json.loads(file.read_text())["exit_code_by_key"]
    return found


def report(tried: Mapping[str, int | None], python: str) -> int:
    """Print the share of killed mutants, and each survivor; returns the number of survivors."""
    survivors = sorted(name for name, code in tried.items() if code not in _KILLED)
    known = [name for name in survivors if change_of(name, python) in EQUIVALENT]
    left = [name for name in survivors if name not in known]
    for name in left:
        untested = " (no test reaches it)" if tried[name] == _NO_TESTS else ""
        print(f"\n{name}{untested}\n{change_of(name, python)}")
    counted = len(tried) - len(known)
    killed = counted - len(left)
    share = killed / counted if counted else 1.0
    print(
        f"\n{len(tried)} mutants, of which {len(known)} are known to be equivalent: "
        f"{killed} of {counted} killed ({share:.1%}), {len(left)} survived"
    )
    return len(left)


def change_of(name: str, python: str) -> str:
    """The lines that a mutant removes and adds."""
    run = subprocess.run(
        [python, "-m", "mutmut", "show", name],
        cwd=FOLDER,
        check=True,
        capture_output=True,
        text=True,
    )
    lines = run.stdout.splitlines()
    changed = [one for one in lines if one[:1] in "+-" and one[:3] not in ("+++", "---")]
    return "\n".join(changed)


def main(arguments: Sequence[str]) -> int:
    """Mutate, test and report; returns 1 if more mutants survive than allowed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("python")
    parser.add_argument("--module", choices=sorted(MODULES), action="append")
    parser.add_argument("--number", type=int, default=NUMBER, help="0 for all of them")
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args(arguments)
    # mutmut runs in another folder. A link is not followed: it is what makes an environment.
    asked.python = os.path.abspath(asked.python)
    lay_out(asked.module or MODULES)
    first = run_mutmut(asked.python, "none.of.them")
    names = sorted(results())
    if not names:
        print(first)
        return 1
    number = min(asked.number or len(names), len(names))
    chosen = sorted(random.Random(asked.seed).sample(names, number))
    print(f"{number} of {len(names)} mutants, seed {asked.seed}", flush=True)
    said = run_mutmut(asked.python, *chosen)
    tried = {name: code for name, code in results().items() if name in set(chosen)}
    if any(code is None for code in tried.values()):
        print(said[-4000:])
        return 1
    return int(report(tried, asked.python) > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
