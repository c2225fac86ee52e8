"""``python -m tests.recorded 0.4.0``: records the current code and template as this version's."""

import json
import sys
from pathlib import Path

from moto import mock_aws

import tests.conftest
from tests.builders import OFFERGRID, RABOT, RETAIL
from tests.recorded import scenario
from tests.recorded.resources import summary, transformed
from tests.stack import ROOT, Stack


def main(version: str) -> None:
    """Write ``tests/recorded/<version>/*.json``."""
    assert tests.conftest  # credentials that open nothing
    folder = Path(__file__).parent / version
    folder.mkdir()
    with mock_aws():
        stack = Stack()
        stack.apply(OFFERGRID, RETAIL, RABOT)
        scenario.work(stack)
        found = {
            "items": scenario.items(stack),
            "answers": scenario.answers(stack),
            "messages": scenario.messages(stack),
            "resources": summary(transformed(ROOT / "template.yaml")),
        }
    for name, content in found.items():
        text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True)
        (folder / f"{name}.json").write_text(f"{text}\n")


if __name__ == "__main__":
    main(sys.argv[1])
