"""The examples of templates in docs/examples are templates that CloudFormation takes."""

from pathlib import Path
from typing import Final

import pytest
from cfnlint.api import lint_file

from tests.stack import ROOT

EXAMPLES: Final = sorted((ROOT / "docs" / "examples").glob("*.yaml"))


@pytest.mark.thorough
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_cfn_lint_finds_nothing_in_an_example(path: Path) -> None:
    assert [str(one) for one in lint_file(path)] == []
