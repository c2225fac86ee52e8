"""What the command imports: a list of orders is asked for many times a day."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NEEDLESS = ("OpenSSL", "awscrt", "pydantic", "milepost.orders", "milepost.operations", "moto")
IMPORTED = """
import json, sys
from cli.lean_import import import_part
import cli.main
import_part("cli.orders.commands")
print(json.dumps(sorted(sys.modules)))
"""


def imported(home: Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED],
        cwd=ROOT,
        env={"PATH": os.defpath, "HOME": str(home), "PYTHONPATH": f"{ROOT}:{ROOT}/layers/core"},
        check=True,
        capture_output=True,
        text=True,
    )
    return set(json.loads(done.stdout))


def test_a_list_of_orders_imports_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    found = imported(tmp_path)
    assert "boto3" in found
    assert [one for one in NEEDLESS if one in found] == []


@pytest.mark.thorough
def test_a_profile_that_signs_in_by_aws_login_has_what_that_needs(tmp_path: Path) -> None:
    pytest.importorskip("awscrt")
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[profile a]\nlogin_session = arn:aws:iam::1:user/a")
    found = imported(tmp_path)
    assert "awscrt" in found
    assert "OpenSSL" not in found


def test_what_was_hidden_can_be_imported_afterwards() -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{IMPORTED}\nimport importlib.util as u\n"
         "print(bool(u.find_spec('cryptography')), 'OpenSSL' in sys.modules)"],
        cwd=ROOT,
        env={"PATH": os.defpath, "PYTHONPATH": f"{ROOT}:{ROOT}/layers/core"},
        check=True,
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "True False"
