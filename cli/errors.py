"""Errors of the command, with messages for operators and exit codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DONE: Final = 0
COULD_NOT: Final = 1
WRONG_USE: Final = 2

EXIT_CODES: Final = "Exit codes: 0 done, 1 could not be done, 2 incorrect usage or an invalid file."


class Fault(Exception):
    """Ends the command with exit code ``code``; its text is shown to the operator."""

    code = COULD_NOT


class CannotDo(Fault):
    """The command can't be carried out because of the stack, AWS or this machine."""


class WrongUse(Fault):
    """Incorrect usage."""

    code = WRONG_USE


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One error in a file; ``line`` counts from 1.

    ``path`` when it is in another file, to which the first one leads.
    """

    where: str
    what: str
    line: int | None = None
    path: Path | None = None


class InvalidFile(WrongUse):
    """A file that can't be used, with all of its errors."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        self.problems = problems
        lines = [_one_line(path, problem) for problem in problems]
        super().__init__("\n".join(lines))


def _one_line(path: Path, problem: Problem) -> str:
    file = problem.path or path
    place = f"{file}:{problem.line}" if problem.line else str(file)
    return (
        f"{place}: {problem.where}: {problem.what}" if problem.where else f"{place}: {problem.what}"
    )
