"""Prints the steps of a start-up, each with its duration."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


class Progress:
    """Prints on a console which step is running, and how long each step took."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show the step while the block runs, and its duration after it has succeeded."""
        started = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(name):
                yield
        else:
            yield
        self.tell(f"{time.monotonic() - started:5.1f} s  {name}")

    def tell(self, line: str) -> None:
        """Print a line unchanged."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def silent_progress() -> Progress:
    """Prints nothing; for tests."""
    return Progress(Console(quiet=True))
