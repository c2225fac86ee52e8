"""What all parts of the command have in common."""

import typer

from cli.faults import EXIT_CODES


def make_part(about: str | None = None) -> typer.Typer:
    """A part of the command, empty. ``about`` is its help, when it has several commands."""
    return typer.Typer(
        help=about,
        epilog=EXIT_CODES,
        no_args_is_help=about is not None,
        # The command as a whole has it.
        add_completion=False,
        # Folds the lines of a docstring's paragraph.
        rich_markup_mode="markdown",
    )
