"""Lock files can be installed: hashes belong to requirements, and what is required is locked."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from tests.stack import ROOT

LOCKS: Final = sorted([*ROOT.glob("*.lock"), *ROOT.glob("*/*.lock")])


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def names_in(text: str) -> set[str]:
    """The packages that a file of requirements begins its lines with."""
    found = re.findall(r"^([A-Za-z0-9][\w.-]*)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", one).lower() for one in found}


def test_there_are_lock_files() -> None:
    assert LOCKS


@pytest.mark.parametrize("lock", LOCKS, ids=name_of)
def test_every_hash_belongs_to_a_requirement(lock: Path) -> None:
    lines = lock.read_text().splitlines()
    assert not [
        number
        for number, (before, line) in enumerate(pairwise(lines), 2)
        if line.lstrip().startswith("--hash=") and not before.endswith("\\")
    ]


@pytest.mark.parametrize("lock", LOCKS, ids=name_of)
def test_what_is_required_is_locked(lock: Path) -> None:
    required = lock.with_suffix(".in")
    if not required.exists():
        pytest.skip("it is made from something else")
    assert names_in(required.read_text()) <= names_in(lock.read_text())
