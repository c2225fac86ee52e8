"""Asks for confirmation before something that can't be undone."""

import typer

from cli.errors import COULD_NOT, WrongUse
from cli.output import is_interactive, warn


def confirm(question: str, *, yes: bool) -> None:
    """Continue only if a person confirms it, on the terminal or with --yes.

    :raises WrongUse: when there is no terminal to ask on
    """
    if yes:
        return
    if not is_interactive():
        raise WrongUse(f"{question} There is no terminal to confirm on; pass --yes.")
    if not typer.confirm(question, err=True):
        warn("Nothing was done.")
        raise typer.Exit(COULD_NOT)


def confirm_by_typing(question: str, *, expected: str, yes: bool) -> None:
    """Continue only if a person types the expected name, or with --yes.

    :raises WrongUse: when there is no terminal to confirm on
    """
    if yes:
        return
    if not is_interactive():
        raise WrongUse(f"{question} There is no terminal to confirm on; pass --yes.")
    typed = typer.prompt(f"{question} Type {expected} to confirm", default="", err=True)
    if typed.strip() != expected:
        warn("Nothing was done.")
        raise typer.Exit(COULD_NOT)
