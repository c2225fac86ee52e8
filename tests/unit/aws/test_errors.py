"""Which exceptions say that a call to AWS failed."""

import re

from tests.stack import ROOT


def test_an_answer_that_cannot_be_read_is_a_failure_wherever_failures_are_handled() -> None:
    # ResponseParserError is neither a BotoCoreError nor a ClientError: AWS_FAILED has all three.
    caught = re.compile(r"except \(.*BotoCoreError.*\)")
    sources = [*ROOT.glob("layers/core/milepost/**/*.py"), *ROOT.glob("functions/*/*.py")]
    sources += ROOT.glob("cli/**/*.py")
    assert sources
    found = [
        f"{one.relative_to(ROOT)}: {line}"
        for one in sources
        for line in caught.findall(one.read_text())
        if "ResponseParserError" not in line
    ]
    assert found == []
