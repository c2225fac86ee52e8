"""Test modules are short enough to be read, and what they share is in modules that say so."""

import re
from typing import Final

from tests.stack import ROOT

TEXTS: Final = {
    str(one.relative_to(ROOT)): one.read_text() for one in sorted((ROOT / "tests").rglob("*.py"))
}
LONG: Final = 400


def test_no_test_module_is_too_long_to_be_read_at_once() -> None:
    lengths = {name: text.count("\n") for name, text in TEXTS.items() if "/test_" in name}
    assert {name: number for name, number in lengths.items() if number > LONG} == {}


def test_no_test_module_is_used_as_a_library() -> None:
    used = r"^from tests\.(?:\w+\.)*test_\w+ import"
    assert [name for name, text in TEXTS.items() if re.search(used, text, re.MULTILINE)] == []
