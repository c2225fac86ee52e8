"""Policies and calls are the same: nothing is granted that no function asks for.

That a function asks for nothing that it isn't granted is seen in every test here (conftest.py,
``permitted``). This one adds up what all of them asked for: ``make test-all`` has them write it
into the folder ``MILEPOST_USES``; without that folder, they are run here.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.permissions import Use, unused
from tests.stack import ROOT

pytestmark = pytest.mark.thorough

APPS: Final = tuple((ROOT / "functions").glob("*/app.py"))
IN_PROCESS: Final = {"console": "orders_api"}
"""Functions that make changes by another one's code in their own process. What that code asks for
in its own tests is asked for here as well."""
LEFT_OUT: Final = (
    Path(__file__).name,
    "test_crash_points.py",
    "test_alarms.py",
    "test_interleavings.py",
    "test_log_scan.py",
)
"""They call nothing that the rest doesn't."""


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, Use]]:
    """All that functions ask for in the tests of this folder."""
    folder = Path(os.environ.get("MILEPOST_USES", tmp_path_factory.mktemp("uses")))
    if not any(folder.glob("*.json")):
        _run_the_others(folder)
    files = folder.glob("*.json")
    return {
        (function, Use(*use)) for file in files for function, use in json.loads(file.read_text())
    }


def _run_the_others(folder: Path) -> None:
    ignored = [f"--ignore=tests/integration/{name}" for name in LEFT_OUT]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/integration", "-n", "0", "-q", *ignored],
        cwd=ROOT,
        env=os.environ | {"MILEPOST_USES": str(folder)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("function", sorted(path.parent.name for path in APPS))
def test_nothing_is_granted_that_no_function_asks_for(
    function: str, used: set[tuple[str, Use]]
) -> None:
    asking = {function, IN_PROCESS.get(function, function)}
    assert unused(function, (use for name, use in used if name in asking)) == []
