"""Every command of ``milepost``, for tests of all commands."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import typer

from cli.main import PARTS


def commands() -> Iterator[tuple[str, Any]]:
    """Every command of ``milepost``, by the words with which it is called."""
    for name, (module, _) in PARTS.items():
        yield from _below(name, typer.main.get_command(import_module(module).app))


def _below(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield words, command
        return
    for name, one in below.items():
        yield from _below(f"{words} {name}", one)


COMMANDS = dict(commands())
