"""Paths of the files that the local stack writes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Places:
    """The files of one stack, all in one directory that git ignores."""

    state: Path

    @property
    def stack_file(self) -> Path:
        """The data that a client needs to use the running stack; it exists only while the stack
        runs.
        """
        return self.state / "stack.json"

    @property
    def log_file(self) -> Path:
        """The output of the emulator, the functions and sam since the last start."""
        return self.state / "run.log"

    @property
    def ports_file(self) -> Path:
        """The ports of the last run."""
        return self.state / "ports.json"

    @property
    def lock_file(self) -> Path:
        """Locked by the process that runs the stack; its content is that process's id."""
        return self.state / "run.lock"


DEFAULT: Final = Places(ROOT / ".local")
