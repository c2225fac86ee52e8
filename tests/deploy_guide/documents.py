"""The shell commands in the documents, in their order."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.stack import ROOT

GUIDE: Final = ROOT / "docs" / "deploy.md"
LEFT_OUT: Final = {
    "aws configure": "asks for keys, or opens a browser, and asks nothing of AWS",
    "aws service-quotas request-service-quota-increase": "neither ministack nor moto has it",
    "make deploy-check": "tests/unit/test_deploy_guide.py: it asks nothing of an account",
    ".venv/bin/milepost send-test": "the API's address is AWS's; tests/e2e/test_command.py has it",
    "aws cognito-idp admin-respond-to-auth-challenge": "ministack asks nobody for a second factor",
    "aws sesv2 delete-suppressed-destination": "neither ministack nor moto has SES's list",
}
"""Commands that run nowhere here, by how they begin, each with the reason."""
_BLOCK: Final = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE: Final = re.compile(r"(?<!`)`(aws\s+[a-z0-9-]+\s+[a-z][^`]*)`(?!`)")
_LOOP: Final = re.compile(r"(?:for|while)\b.*?\bdone\b[^\n]*", re.DOTALL)
_CONTINUED: Final = re.compile(r"\\\n\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command, or one loop of commands."""

    document: str
    line: int
    text: str

    @property
    def tool(self) -> str:
        """The command's name, without its directory."""
        return self.text.split(maxsplit=1)[0].rpartition("/")[2]

    def __str__(self) -> str:
        first = self.text.splitlines()[0]
        return f"{self.document}:{self.line}: {first[:80]}"


def steps_of(path: Path) -> list[Step]:
    """Every command of a document's `sh` blocks, and every `aws` command within its text."""
    content = path.read_text()
    found = [*_inline(path, content), *_blocks(path, content)]
    return sorted(found, key=lambda step: step.line)


def begins(step: Step, among: Iterable[str]) -> str | None:
    """The command of these with which a step begins."""
    return next((one for one in among if step.text.startswith(one)), None)


def other_documents() -> list[Path]:
    """The documents with commands of the AWS CLI, except the guide itself and decisions."""
    texts = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [path for path in texts if path != GUIDE and "aws " in path.read_text()]


def _blocks(path: Path, content: str) -> Iterator[Step]:
    for block in _BLOCK.finditer(content):
        for at, text in _commands(block[1]):
            yield _step(path, content, block.start(1) + at, text)


def _inline(path: Path, content: str) -> Iterator[Step]:
    # Blanked, so that positions stay.
    prose = _BLOCK.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), content)
    for found in _INLINE.finditer(prose):
        yield _step(path, content, found.start(1), " ".join(found[1].split()))


def _commands(block: str) -> Iterator[tuple[int, str]]:
    """Loops and lines of a block, each with the line at which it begins. Comments are left out."""
    at = 0
    while at < len(block):
        loop = _LOOP.match(block, at)
        end = loop.end() if loop else _end_of_line(block, at)
        text = block[at:end].strip()
        if text and not text.startswith("#"):
            yield at, text if loop else _CONTINUED.sub(" ", text)
        at = end + 1


def _end_of_line(block: str, at: int) -> int:
    end = block.find("\n", at)
    while end > 0 and block[end - 1] == "\\":
        end = block.find("\n", end + 1)
    return end if end >= 0 else len(block)


def _step(path: Path, content: str, at: int, text: str) -> Step:
    name = str(path.relative_to(ROOT))
    return Step(document=name, line=content.count("\n", 0, at) + 1, text=text)
